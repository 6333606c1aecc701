import type { Signature, SignatureProblem, SignaturesOf } from './method-signature.js';
import type { OptionProblems, OptionsOf, Stores } from './option-problems.js';
import type { TypeProblem, Verdict } from './type-problem.js';

export type { AsyncFunction } from './method-signature.js';

/** What `@Cacheable` with these options is. */
export type CacheableDecorator<Options> = CacheMethodDecorator<{ readonly cacheable: Options }>;

/** What `@CachePut` with these options is. */
export type CachePutDecorator<Options> = CacheMethodDecorator<{ readonly put: Options }>;

/** What `@CacheEvict` with these options is. */
export type CacheEvictDecorator<Options> = CacheMethodDecorator<{ readonly evict: Options }>;

/** What `@Transactional` is: it asks of a method what an evict does, that it is asynchronous. */
export type TransactionalDecorator = CacheMethodDecorator<{
  readonly evict: Readonly<Record<never, never>>;
}>;

/** What `@Caching` with these options is. */
export type CachingDecorator<Options> = CacheMethodDecorator<Options>;

/**
 * A method decorator for both dialects: called as `(method, context)` by TC39 compilers, as
 * `(target, name, descriptor)` by legacy ones (`experimentalDecorators`).
 *
 * The first signature takes whatever it stands on, so that what the compiler prints is no list of overloads but the
 * sentence of a {@link TypeProblem}, at the head of the message. The others are never chosen by a compiler; they let
 * the decorator pass for one of unknown methods (`MethodDecorator`, or its TC39 like), which checks nothing.
 */
export interface CacheMethodDecorator<Operations> {
  <Target, Place = undefined, Descriptor = undefined>(
    target: Target,
    place?: Place,
    descriptor?: Descriptor,
  ): Decorated<Operations, Target, Place, Descriptor>;
  (target: object, name: string | symbol, descriptor: object): void;
  (method: (...args: never[]) => unknown, context: ClassMethodDecoratorContext): void;
}

/** A class decorator for both dialects. */
export type CacheConfigDecorator = <Target, Place = undefined>(
  target: Target,
  place?: Place,
  descriptor?: unknown,
) => Place extends undefined | { readonly kind: 'class' }
  ? void
  : TypeProblem<'@CacheConfig stands above a class'>;

/** What `cacheable` asks of its options beyond their type. */
export type CheckedCacheable<Fn, Options> = CheckedOptions<'cacheable', Fn, Options>;

/** What `cachePut` asks of its options beyond their type. */
export type CheckedCachePut<Fn, Options> = CheckedOptions<'put', Fn, Options>;

/** What `cacheEvict` asks of its options beyond their type. */
export type CheckedCacheEvict<Fn, Options> = CheckedOptions<'evict', Fn, Options>;

type Decorated<Operations, Target, Place, Descriptor> = Place extends {
  readonly kind: infer Element extends string;
}
  ? Element extends 'method'
    ? Verdict<Target, MethodProblem<Operations, SignaturesOf<Target, ThisOf<Place>>>>
    : TypeProblem<Misplaced<Element>>
  : Descriptor extends TypedPropertyDescriptor<infer Method>
    ? Method extends (...args: never) => unknown
      ? Verdict<Descriptor, MethodProblem<Operations, SignaturesOf<Method, Target>>>
      : TypeProblem<Misplaced<'accessor'>>
    : TypeProblem<
        Misplaced<
          Descriptor extends number ? 'parameter' : Place extends undefined ? 'class' : 'field'
        >
      >;

type Misplaced<Element extends string> = `only a method can be decorated, not this ${Element}`;

/** The class of the method, or the class' own type for a static one. */
type ThisOf<Context> = Context extends {
  readonly access: { has(object: infer This): boolean };
}
  ? This
  : unknown;

type MethodProblem<Operations, Each extends Signature> = {
  [Kind in keyof Operations]-?: Kind extends keyof OptionsOf
    ? OperationProblem<Kind, OneOf<Operations[Kind]>, Each>
    : `there is no option '${Kind & string}'`;
}[keyof Operations];

type OneOf<Given> = Extract<Given extends readonly unknown[] ? Given[number] : Given, object>;

type OperationProblem<
  Kind extends keyof OptionsOf,
  Options,
  Each extends Signature,
> = Options extends unknown
  ? | SignatureProblem<Each, Stores<Kind>, Options>
    | OptionProblems<Kind, Options, Each>[keyof Options]
  : never;

/** A function's own problem stands at each of its options: it has no decorator to stand at. */
type CheckedOptions<Kind extends keyof OptionsOf, Fn, Options> = Flagged<
  OptionProblems<Kind, Options, SignaturesOf<Fn, ThisParameterType<Fn>>>,
  SignatureProblem<SignaturesOf<Fn, unknown>, Stores<Kind>, Options>
>;

/** Turns the options that have sentences into problems; what is left out is not constrained. */
type Flagged<Sentences, General extends string> = {
  readonly [
    Name in keyof Sentences as [Sentences[Name] | General] extends [never] ? never : Name
  ]: TypeProblem<Extract<Sentences[Name] | General, string>>;
};
