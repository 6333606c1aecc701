/**
 * What a decorator's type turns into where it does not fit: a type that nothing is assignable to, so that the
 * compiler prints its name, and in it the sentence. (A bare literal type would be printed as `string`.)
 */
export interface TypeProblem<Sentence extends string> {
  readonly '~problem': Sentence;
}

/** What a decorator gives back: what it decorated, or the sentences that say why it cannot. */
export type Verdict<Good, Sentence extends string> = [Sentence] extends [never]
  ? Good
  : TypeProblem<Sentence>;

/**
 * Whether a value of type `Source` may stand where a `Target` is expected.
 *
 * `Source extends Target` does not tell inside a generic class: there the compiler puts off every answer that
 * hangs on the class' type parameter, although the parameter's constraint would decide it, and a put-off answer
 * refuses a right program. The constraint of an `infer` is checked by plain assignability instead, at once: when
 * it holds, the inferred type is the `Source` box, whose `fits` is `true`; when not, it is the constraint, whose
 * `fits` is `boolean`. The second member of the union lets the outer question always be answered by yes.
 *
 * `Site` must be a type parameter wherever this is written, and be known where the answer is wanted: it keeps the
 * compiler from answering at the declaration, for all types together. All checks pass the decorator's options.
 */
export type Fits<Source, Target, Site> = [Site, { readonly box: SourceBox<Source> }] extends [
  unknown,
  { readonly box: infer Box extends TargetBox<Target> } | { readonly box: unknown },
]
  ? Box['fits'] extends true
    ? true
    : false
  : never;

interface SourceBox<Content> {
  readonly content: Content;
  readonly fits: true;
}

interface TargetBox<Content> {
  readonly content: Content;
  readonly fits: boolean;
}

/** Whether two types are the same, with `any` and optional members told apart. */
export type Same<Left, Right> =
  (<Probe>() => Probe extends Left ? 1 : 2) extends <Probe>() => Probe extends Right ? 1 : 2
    ? true
    : false;

/** Whether nothing is known of a type (`any`), or no value can have it (`never`): it fits whatever is asked for. */
export type FitsAnything<Type, Site> =
  Fits<Type, 'left', Site> extends true ? Fits<Type, 'right', Site> : false;
