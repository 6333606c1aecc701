import type { Fits } from './type-problem.js';

/** A function out of an option's type; options such as `ttl` take a plain value as well. */
export type FunctionOf<Option> = Extract<Option, (...args: never[]) => unknown>;

/**
 * Why an option's function cannot be called with `Args` on `This`: it takes more parameters, needs one that may be
 * absent, takes other types, or has a parameter without a type.
 */
export type CallbackProblem<
  Name extends string,
  Callback,
  Args extends readonly unknown[],
  This,
  Site,
> = Callback extends (this: infer Self, ...args: infer Params) => unknown
  ? Accepts<Callback, Params, Args, Site> extends true
    ? Fits<This, Self, Site> extends true
      ? never
      : `'${Name}' expects a 'this' that is not the method's class`
    : TypesMissing<Params, Site> extends true
      ? `'${Name}' needs types on its parameters, as in (id: number) => id`
      : Mismatch<Name, Params, Args, Site>
  : never;

/** Plain assignability, but a fixed parameter is not filled by a rest parameter, which may be empty. */
type Accepts<Callback, Params extends readonly unknown[], Args extends readonly unknown[], Site> =
  Fits<Callback, (...args: Args) => unknown, Site> extends true
    ? number extends Args['length']
      ? Fits<Args, OpenEnded<Params>, Site>
      : true
    : false;

type OpenEnded<Params extends readonly unknown[]> = number extends Params['length']
  ? Params
  : [...Params, ...unknown[]];

/** A parameter without a type is `never`, by the constraint that gives it its context. */
type TypesMissing<Params extends readonly unknown[], Site> = true extends {
  [Index in keyof Params]: Fits<Params[Index], never, Site>;
}[number]
  ? true
  : false;

type Mismatch<
  Name extends string,
  Params extends readonly unknown[],
  Args extends readonly unknown[],
  Site,
> =
  Fits<Untyped<Args>, OpenEnded<Untyped<Params>>, Site> extends true
    ? `'${Name}' takes other parameter types than it is given`
    : number extends Args['length']
      ? `'${Name}' needs a parameter that the method may not get`
      : Fits<Untyped<Required<Args>>, OpenEnded<Untyped<Params>>, Site> extends true
        ? `'${Name}' needs a parameter that the method may not get`
        : `'${Name}' takes more parameters than it is given`;

type Untyped<Params extends readonly unknown[]> = { [Index in keyof Params]: unknown };
