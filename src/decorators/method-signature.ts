import type { Fits, FitsAnything } from './type-problem.js';

/** A function that answers by a promise. */
export type AsyncFunction = (this: never, ...args: never[]) => PromiseLike<unknown>;

/** One call signature of a method. */
export interface Signature<
  This = unknown,
  Args extends readonly unknown[] = readonly unknown[],
  Returned = unknown,
> {
  readonly self: This;
  readonly args: Args;
  readonly returned: Returned;
}

/**
 * All call signatures of a method, as a union. A generic one counts with its type parameters' constraints; of more
 * than eight overloads the last eight count. (A method with fewer has some of them twice, which a union forgets.)
 */
export type SignaturesOf<Method, This> = Method extends {
  (...args: infer A1): infer R1;
  (...args: infer A2): infer R2;
  (...args: infer A3): infer R3;
  (...args: infer A4): infer R4;
  (...args: infer A5): infer R5;
  (...args: infer A6): infer R6;
  (...args: infer A7): infer R7;
  (...args: infer A8): infer R8;
}
  ? | Signature<This, A1, R1>
    | Signature<This, A2, R2>
    | Signature<This, A3, R3>
    | Signature<This, A4, R4>
    | Signature<This, A5, R5>
    | Signature<This, A6, R6>
    | Signature<This, A7, R7>
    | Signature<This, A8, R8>
  : never;

/** What the promise of a signature resolves to. Not `Awaited`, which puts off its answer in generic classes. */
export type ResultOf<Returned> = Returned extends PromiseLike<infer Result> ? Result : never;

/** Why a method with this signature cannot be cached, whatever the options say. */
export type SignatureProblem<Each extends Signature, Stores extends boolean, Site> =
  Each extends Signature<unknown, readonly unknown[], infer Returned>
    ? Fits<Returned, PromiseLike<unknown>, Site> extends true
      ? Stores extends true
        ? NothingToStore<ResultOf<Returned>, Site>
        : never
      : 'it must be async: a cached method returns a promise'
    : never;

type NothingToStore<Result, Site> =
  FitsAnything<Result, Site> extends true
    ? never
    : Fits<Result, void | undefined, Site> extends true
      ? 'it resolves to void: there is nothing to store'
      : never;
