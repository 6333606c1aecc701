import type { CacheHandle } from '../cache/cache-handle.js';
import type { KeyPart } from '../cache/cache-key.js';
import type { ResultOf, Signature } from './method-signature.js';
import type { Fits, Same } from './type-problem.js';

/**
 * Why an operation does not agree with a typed handle among its caches: its keys are others than the handle's, or
 * its results are.
 */
export type HandleProblem<Options, Each extends Signature, Stores extends boolean, Site> =
  HandleOf<Options> extends infer Handle
    ? Handle extends CacheHandle<infer Key, infer Value>
      ? | (Same<Key, readonly KeyPart[]> extends true
            ? never
            : KeyProblem<Options, Each, Key, Stores, Site>)
        | ValueProblem<Each, Value, Stores, Site>
      : never
    : never;

type HandleOf<Options> = Options extends { readonly cache: infer Cache }
  ? Cache extends readonly unknown[]
    ? Cache[number]
    : Cache
  : never;

type KeyProblem<
  Options,
  Each extends Signature,
  Key extends readonly unknown[],
  Stores extends boolean,
  Site,
> = Options extends { readonly key: infer Build extends Builder }
  ? KeysFit<'key', ReturnType<Build>, Key, Site>
  : Options extends { readonly keyOf: infer Build extends Builder }
    ? KeysFit<'keyOf', ReturnType<Build>, Key, Site>
    : Options extends { readonly keys: infer Build extends Builder }
      ? KeysFit<'keys', ItemOf<ReturnType<Build>>, Key, Site>
      : Options extends { readonly keyGenerator: infer Build extends Builder }
        ? KeysFit<'keyGenerator', ReturnType<Build>, Key, Site>
        : BuildsKey<Options, Stores> extends true
          ? Fits<Each['args'], Lenient<Key>, Site> extends true
            ? never
            : `the parameters are not the cache's key: give a 'key'`
          : never;

type Builder = (...args: never[]) => unknown;

/** An eviction of everything, by tag or by pattern needs no key. */
type BuildsKey<Options, Stores extends boolean> = Stores extends true
  ? true
  : Options extends { readonly allEntries: true } | { readonly tags: {} } | { readonly pattern: {} }
    ? false
    : true;

type ItemOf<List> = List extends readonly (infer Item)[] ? Item : List;

/** A function declared to build any key, such as a `KeyGenerator`, is trusted. */
type KeysFit<Name extends string, Built, Key extends readonly unknown[], Site> =
  Same<Built, KeyPart | readonly KeyPart[]> extends true
    ? never
    : Fits<Parts<Built>, Lenient<Key> | LooseList<Built, Key>, Site> extends true
      ? never
      : `'${Name}' builds other keys than the cache's`;

type Parts<Key> = Key extends readonly unknown[] ? Key : readonly [Key];

/** A key built as an array of unknown length can only be compared part by part. */
type LooseList<Built, Key extends readonly unknown[]> = Built extends readonly unknown[]
  ? number extends Built['length']
    ? readonly Key[number][]
    : never
  : never;

/** The handle's key, where what may be absent may be `undefined` too: at the end of a key both are the same. */
type Lenient<Key extends readonly unknown[]> = Key extends readonly [infer Head, ...infer Tail]
  ? readonly [Head, ...Lenient<Tail>]
  : { readonly [Index in keyof Key]: Key[Index] | undefined };

type ValueProblem<Each extends Signature, Value, Stores extends boolean, Site> = Stores extends true
  ? Fits<ResultOf<Each['returned']>, Value | undefined, Site> extends true
    ? never
    : 'the result is not of the type of the cache'
  : never;
