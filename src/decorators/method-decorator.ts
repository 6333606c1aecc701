import { adviseMethod } from '../aspect/advice.js';
import type { Method, MethodSite } from '../aspect/method-site.js';
import type { Operation } from '../aspect/operation.js';
import { DecoratorUsageError } from '../errors.js';

/** What this file needs of a TC39 decorator context. */
interface DecoratorContext {
  readonly kind: string;
  readonly name: PropertyKey;
  readonly static?: boolean;
  readonly private?: boolean;
}

/** The operations of a decorator, made once the member is known, so that messages can name it. */
type MakeOperations = (member: PropertyKey) => readonly Operation[];

/** Gives what stands in a method's place from now on. */
type WrapMethod = (method: Method, site: Pick<MethodSite, 'name' | 'kind'>) => Method;

/** Makes a decorator that adds operations to a method. */
export function methodDecorator(
  decorator: string,
  makeOperations: MakeOperations,
): (...args: readonly unknown[]) => unknown {
  return wrappingDecorator(decorator, (method, site) =>
    adviseMethod(method, site, makeOperations(site.name)),
  );
}

/**
 * Makes a method decorator for TC39 and for legacy (`experimentalDecorators`) compilers. The only place that knows
 * two dialects: TC39 calls with the method and a context, legacy with the prototype (or the class, for static
 * methods), the name and the descriptor.
 */
export function wrappingDecorator(
  decorator: string,
  wrap: WrapMethod,
): (...args: readonly unknown[]) => unknown {
  return (target, where, descriptor) => {
    if (typeof where === 'object' && where !== null && 'kind' in where) {
      const context = where as DecoratorContext;
      if (context.kind !== 'method') {
        throw new DecoratorUsageError(decorator, context.name, misuse(context.kind));
      }
      return wrap(target as Method, siteOf(context));
    }
    if (typeof target === 'function' && where === undefined) {
      throw new DecoratorUsageError(decorator, target.name, misuse('class'));
    }
    const name = where as PropertyKey;
    const property = descriptor as PropertyDescriptor | undefined;
    if (typeof property?.value !== 'function') {
      const isAccessor = property?.get !== undefined || property?.set !== undefined;
      throw new DecoratorUsageError(decorator, name, misuse(isAccessor ? 'accessor' : 'field'));
    }
    const kind = typeof target === 'function' ? 'static' : 'instance';
    return { ...property, value: wrap(property.value as Method, { name, kind }) };
  };
}

function siteOf(context: DecoratorContext): Pick<MethodSite, 'name' | 'kind'> {
  const { name } = context;
  if (context.private === true) return { name, kind: 'private' };
  return { name, kind: context.static === true ? 'static' : 'instance' };
}

function misuse(kind: string): string {
  return `it decorates methods only, and this is a ${kind}; move the work into an async method and decorate that`;
}
