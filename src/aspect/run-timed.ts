import { nextOrder } from '../cache/flight-table.js';
import { readThrough } from '../cache/read-through.js';
import type { StorePolicy } from '../cache/fill-store.js';
import type { BoundMethod } from './bound-method.js';
import type { BoundCacheable, Invocation } from './bound-operation.js';
import { invokeAsync, reportKey } from './invoke.js';

/**
 * The way of calls with one `@Cacheable`, one cache and no condition whose entries may be stale, refreshed ahead, or
 * kept alive by being read. A hit in memory is answered without a turn of the event loop, like that of other methods.
 */
export function runTimed(
  bound: BoundMethod,
  cacheable: BoundCacheable,
  call: Invocation,
): Promise<unknown> {
  const { core, mode } = cacheable;
  let key: string;
  try {
    key = cacheable.keyOfArguments(call.self, call.args);
  } catch (error) {
    return runUnkeyed(bound, cacheable, call, error);
  }
  const times = cacheable.timesOf(core);
  let known: StorePolicy | undefined;
  const policy = (): StorePolicy => (known ??= cacheable.policies(call)(core));
  try {
    // Only a store of bytes has a use for hints; the tags are among them where there are some.
    const hints = cacheable.isTagged(core) ? policy().hints : cacheable.plainHints;
    return readThrough({
      cache: core,
      key,
      mode,
      hints,
      times,
      targets: () => [{ cache: core, key, policy: policy() }],
      load: () => invokeAsync(bound, call),
      options: cacheable.fillOptions(false, core.startBudget(), nextOrder()),
    });
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

async function runUnkeyed(
  bound: BoundMethod,
  cacheable: BoundCacheable,
  call: Invocation,
  error: unknown,
): Promise<unknown> {
  reportKey(cacheable, error);
  return invokeAsync(bound, call);
}
