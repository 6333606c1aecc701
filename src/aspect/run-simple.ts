import type { CallBudget } from '../cache/call-budget.js';
import type { StoredEntry } from '../cache/entry.js';
import type { StorePolicy } from '../cache/fill-store.js';
import { fill } from '../cache/fill.js';
import { nextOrder } from '../cache/flight-table.js';
import { isPending } from '../cache/maybe-promise.js';
import type { BoundMethod } from './bound-method.js';
import type { Invocation } from './bound-operation.js';
import { invokeAsync, reportKey } from './invoke.js';

/**
 * The way of most calls: one `@Cacheable`, one cache, no condition. A hit in memory is answered without a turn of
 * the event loop, one in a remote store with a single continuation.
 */
export function runSimple(
  bound: BoundMethod,
  self: unknown,
  args: readonly unknown[],
): Promise<unknown> {
  const cacheable = bound.simple!;
  const { core } = cacheable;
  let key: string;
  try {
    key = cacheable.keyOfArguments(self, args);
  } catch (error) {
    return runUnkeyed(bound, { self, args }, error);
  }
  // Only a store of bytes has a use for hints, which are the tags known by now.
  const policy =
    core.runtime.storesBytes && cacheable.isTagged(core)
      ? policyFor(bound, { self, args })
      : undefined;
  const { mode } = cacheable;
  let found: ReturnType<typeof core.ask>;
  try {
    found = core.ask(key, mode, policy === undefined ? cacheable.plainHints : policy.hints);
    if (!isPending(found)) {
      const entry = core.account(key, found);
      if (entry !== undefined) return answer(entry);
    }
  } catch (error) {
    return Promise.reject(error as Error);
  }
  const budget = core.startBudget();
  // Nothing has run since the lookup was sent.
  const arrivedAt = nextOrder();
  if (!isPending(found)) return load(bound, { self, args }, key, policy, budget, arrivedAt);
  return core
    .settle(key, found, mode, budget)
    .then((entry) =>
      entry === undefined
        ? load(bound, { self, args }, key, policy, budget, arrivedAt)
        : answer(entry),
    );
}

async function runUnkeyed(bound: BoundMethod, call: Invocation, error: unknown): Promise<unknown> {
  reportKey(bound.simple!, error);
  return invokeAsync(bound, call);
}

function policyFor(bound: BoundMethod, call: Invocation): StorePolicy {
  const cacheable = bound.simple!;
  return cacheable.policies(call)(cacheable.core);
}

function answer(entry: StoredEntry): Promise<unknown> {
  return entry.kind === 'value'
    ? Promise.resolve(entry.value)
    : Promise.reject(entry.value as Error);
}

async function load(
  bound: BoundMethod,
  call: Invocation,
  key: string,
  known: StorePolicy | undefined,
  budget: CallBudget | undefined,
  arrivedAt: number,
): Promise<unknown> {
  const cacheable = bound.simple!;
  const policy = known ?? policyFor(bound, call);
  const options = cacheable.fillOptions(false, budget, arrivedAt);
  return fill([{ cache: cacheable.core, key, policy }], () => invokeAsync(bound, call), options);
}
