/** A value, or a promise of it. What is in memory is answered at once, so that a hit costs no turn of the event loop. */
export type MaybePromise<Value> = Value | Promise<Value>;

/** Whether a value is a promise, or anything that behaves like one. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Goes on with `next` now if the value is there, later if it is promised. */
export function andThen<Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/**
 * Whether a store's answer is still to come. Looks for `then`, which costs a hit less than a walk of the prototypes.
 */
export function isPending<Answer>(
  answer: MaybePromise<Answer | undefined>,
): answer is Promise<Answer | undefined> {
  return answer !== undefined && (answer as { readonly then?: unknown }).then !== undefined;
}

const rejections = new WeakMap<Error, Promise<never>>();

/**
 * A promise that rejects with an error that many calls fail with, the same for all of them. One that is made for each
 * call is rejected before anybody handles it, and to tell the process so, and take it back, costs more than the call.
 */
export function rejection(error: Error): Promise<never> {
  let rejected = rejections.get(error);
  if (rejected === undefined) {
    rejected = Promise.reject(error);
    rejected.catch(() => undefined);
    rejections.set(error, rejected);
  }
  return rejected;
}
