import type { CallbackProblem } from './callback-check.js';
import type { ResultOf, Signature } from './method-signature.js';
import type { Fits } from './type-problem.js';

/** Why `each` does not describe the method: no list at that position, or a result that cannot be taken apart. */
export type EachProblem<Options, Each extends Signature, Site> = Options extends {
  readonly each: { readonly arg: infer Position extends number };
}
  ? number extends Position
    ? never
    : | (Fits<ArgumentAt<Each['args'], Position>, readonly unknown[], Site> extends true
          ? never
          : `'each.arg' ${Position} is not the position of a list`)
      | ShapeProblem<Options, ResultOf<Each['returned']>, Site>
  : never;

type ArgumentAt<
  Args extends readonly unknown[],
  Position extends number,
> = `${Position}` extends keyof Args
  ? Args[`${Position}`]
  : number extends Args['length']
    ? Args[number]
    : 'absent';

type ShapeProblem<Options, Result, Site> = Options extends {
  readonly each: { readonly idOf: infer IdOf extends (...args: never[]) => unknown };
}
  ? Fits<Result, readonly unknown[], Site> extends true
    ? CallbackProblem<'each.idOf', IdOf, [item: Present<ItemOf<Result>>], unknown, Site>
    : `'each.idOf' needs a method that returns an array`
  : Fits<Result, readonly unknown[] | ReadonlyMap<unknown, unknown>, Site> extends true
    ? never
    : `'each' needs a method that returns an array or a Map`;

/** Items that are not there are skipped. */
type Present<Item> = Exclude<Item, null | undefined>;

type ItemOf<Result> =
  Result extends ReadonlyMap<unknown, infer Value>
    ? Value
    : Result extends readonly (infer Item)[]
      ? Item
      : never;

/**
 * The call as one entry sees it: under `each`, as though the method had been called with one id and had returned
 * one item; otherwise as it is.
 */
export type EntrySignature<Options, Each extends Signature> = Options extends {
  readonly each: { readonly arg: infer Position extends number };
}
  ? Signature<
      Each['self'],
      ArgumentsForOne<Each['args'], Position>,
      Promise<StoredItem<Options, ItemOf<ResultOf<Each['returned']>>>>
    >
  : Each;

type StoredItem<Options, Item> = Options extends {
  readonly each: { readonly idOf: (...args: never[]) => unknown };
}
  ? Present<Item>
  : Item;

type ArgumentsForOne<Args extends readonly unknown[], Position extends number> = {
  [Index in keyof Args]: Index extends `${Position}` ? ItemOf<Args[Index]> : Args[Index];
};
