import type {
  CacheableOptions,
  CacheEvictOptions,
  CachePutOptions,
} from '../aspect/operation-options.js';
import type { CallbackProblem, FunctionOf } from './callback-check.js';
import type { EachProblem, EntrySignature } from './each-check.js';
import type { HandleProblem } from './handle-check.js';
import type { ResultOf, Signature } from './method-signature.js';

/** The options of each operation. */
export interface OptionsOf {
  readonly cacheable: CacheableOptions;
  readonly put: CachePutOptions;
  readonly evict: CacheEvictOptions;
}

/** What an operation does with results. */
export type Stores<Kind extends keyof OptionsOf> = Kind extends 'evict' ? false : true;

/**
 * The sentences that say what is wrong with an operation's options, by option; `never` where nothing is. The options
 * have to suit every one of the method's signatures (`Each`).
 */
export type OptionProblems<Kind extends keyof OptionsOf, Options, Each extends Signature> = {
  readonly [Name in keyof Options]-?: Name extends keyof OptionsOf[Kind]
    ? Exclusion<Kind, Options, Name> | Mismatch<Kind, Options, Name, Each>
    : `there is no option '${Name & string}'`;
};

/** Options that exclude each other; `false`, a time of 0 and an endless one switch one off. The first of a pair stands for all of them. */
interface Exclusive {
  readonly cacheable: {
    readonly keyGenerator: 'key';
    readonly each: 'key' | 'cacheErrors';
    readonly idleTtl: 'staleWhileRevalidate' | 'staleIfError' | 'refreshAhead';
  };
  readonly put: {
    readonly keyGenerator: 'key' | 'keyOf';
    readonly key: 'keyOf';
    readonly idleTtl: 'staleWhileRevalidate' | 'staleIfError';
  };
  readonly evict: {
    readonly key: 'keyOf' | 'allEntries';
    readonly keys: 'key' | 'keyOf' | 'allEntries';
    readonly keyOf: 'allEntries';
    readonly keyGenerator: 'key' | 'keyOf' | 'keys' | 'allEntries';
    readonly beforeInvocation: 'keyOf';
    readonly pattern: 'allEntries';
  };
}

type Exclusion<Kind extends keyof OptionsOf, Options, Name> = Name extends GivenNames<Options> &
  keyof Exclusive[Kind]
  ? Exclusive[Kind][Name] & GivenNames<Options> extends infer Other extends string
    ? `'${Other}' and '${Name & string}' exclude each other`
    : never
  : never;

type GivenNames<Options> = {
  [Name in keyof Options]-?: undefined extends Options[Name]
    ? never
    : false extends Options[Name]
      ? never
      : 0 extends Options[Name]
        ? never
        : Name;
}[keyof Options];

/** Functions that are called with the arguments. */
type ArgumentsCallback = 'key' | 'keys' | 'tags' | 'pattern' | 'condition' | 'refresh';

/** Functions that are called with what is stored, then the arguments. */
type EntryCallback = 'unless' | 'ttl' | 'nullTtl' | 'tagsOf';

type Mismatch<
  Kind extends keyof OptionsOf,
  Options,
  Name extends keyof Options,
  Each extends Signature,
> = undefined extends Options[Name]
  ? never
  : Each extends Signature
    ? Name extends 'cache'
      ? HandleProblem<Options, EntrySignature<Options, Each>, Stores<Kind>, Options>
      : Name extends 'each'
        ? EachProblem<Options, Each, Options>
        : Name extends ArgumentsCallback
          ? Uncallable<Options, Name, Each['args'], Each>
          : Name extends EntryCallback
            ? Uncallable<
                Options,
                Name,
                [result: Stored<Options, Each>, ...args: Each['args']],
                Each
              >
            : Name extends 'keyOf'
              ? Uncallable<
                  Options,
                  Name,
                  [result: ResultOf<Each['returned']>, ...args: Each['args']],
                  Each
                >
              : never
    : never;

type Uncallable<
  Options,
  Name extends keyof Options & string,
  Args extends readonly unknown[],
  Each extends Signature,
> = CallbackProblem<Name, FunctionOf<Options[Name]>, Args, Each['self'], Options>;

/** What reaches the cache: `undefined` is never stored. */
type Stored<Options, Each extends Signature> = Exclude<
  ResultOf<EntrySignature<Options, Each>['returned']>,
  void | undefined
>;
