/** What a callback gave, or threw, for those who want it later. */
export interface Attempt<Value> {
  readonly isFailed: boolean;
  readonly get: () => Value;
}

/** Runs a callback now. */
export function attempt<Value>(make: () => Value): Attempt<Value> {
  try {
    const value = make();
    return { isFailed: false, get: () => value };
  } catch (error) {
    return {
      isFailed: true,
      get: () => {
        throw error;
      },
    };
  }
}

/** Remembers the last argument's result: the caches of one operation ask for the same value one after the other. */
export function memoByValue<Value>(make: (value: unknown) => Value): (value: unknown) => Value {
  let last: { readonly for: unknown; readonly value: Value } | undefined;
  return (value) => {
    if (last === undefined || !Object.is(last.for, value))
      last = { for: value, value: make(value) };
    return last.value;
  };
}
