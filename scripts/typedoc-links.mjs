/**
 * Lets a doc comment link to any public name, whichever entry exports it and whether or not its file imports it:
 * what TypeScript cannot resolve is looked up by name in all entries.
 */
import { ReflectionKind } from 'typedoc';

export function load(app) {
  app.converter.addUnknownSymbolResolver((reference, reflection, link) => {
    // Types of other packages are asked for as well; those are no links.
    if (link === undefined) return undefined;
    const [name, member, ...deeper] = (reference.symbolReference?.path ?? []).map(
      ({ path }) => path,
    );
    if (name === undefined || deeper.length > 0) return undefined;
    const target = reflection.project
      .getReflectionsByKind(ReflectionKind.SomeModule)
      .flatMap((module) => module.children ?? [])
      .find((child) => child.name === name && !child.isReference());
    const found = member === undefined ? target : target?.getChildByName(member);
    return found && { target: found };
  });
}
