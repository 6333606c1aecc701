import type { CacheCore } from '../../cache/cache-core.js';
import type { StoredEntry } from '../../cache/entry.js';
import { compilePattern } from '../../cache/key-pattern.js';
import { InvalidOptionError } from '../../errors.js';
import {
  badRequest,
  chosenCaches,
  noSuchCache,
  ok,
  refusal,
  type AdminAnswer,
  type AdminCall,
} from './admin-answer.js';
import { outlinesOf, type KeyOutline } from './key-outlines.js';
import { previewValue } from './value-preview.js';
import { approximateSize } from './value-size.js';

/** How many keys a page has when nothing says otherwise, and at most. */
const DEFAULT_COUNT = 100;
const MAX_COUNT = 1000;
/** How many caches one page looks at, so that many empty ones do not make it long. */
const MAX_CACHES_PER_PAGE = 50;

/** A key in a list. */
interface ListedKey {
  readonly key: string;
  readonly cache: string;
  /** Seconds that it stays fresh, rounded up; 0 = stale, `null` = for ever. */
  readonly ttl: number | null;
  /** About how many bytes its value has. */
  readonly size: number;
}

/**
 * A page of keys: `{"keys": [{"key", "ttl", "cache", "size"}], "cursor": 0}`. The cursor is a number where JavaScript
 * can hold it exactly, else a text; both are taken back; 0 = no more. A key that is there during the whole walk is on
 * one page at least. Without `cache` it walks through all caches of this process.
 */
export async function listKeys(call: AdminCall): Promise<AdminAnswer> {
  const { query } = call;
  const count = query.get('count') ?? String(DEFAULT_COUNT);
  if (!/^[1-9]\d{0,3}$/.test(count) || Number(count) > MAX_COUNT) {
    return badRequest(`'count' is a whole number from 1 to ${MAX_COUNT}.`);
  }
  const caches = chosenCaches(call);
  if (caches === undefined) return noSuchCache();
  const cursor = query.get('cursor') ?? '0';
  const pattern = query.get('pattern');
  try {
    const page =
      query.get('cache') === undefined
        ? await pageOfAll(caches, pattern, cursor, Number(count))
        : await pageOf(caches[0]!, pattern, cursor, Number(count));
    return ok({ keys: page.keys, cursor: plainCursor(page.cursor) });
  } catch (error) {
    return refuseOption(error);
  }
}

/** One entry with its value as a text to look at, or 404. The counters do not move. */
export async function showEntry(call: AdminCall, showsValues: boolean): Promise<AdminAnswer> {
  const caches = chosenCaches(call);
  if (caches === undefined) return noSuchCache();
  for (const core of caches) {
    const [entry] = await entriesOf(core, [call.key]);
    if (entry === undefined) continue;
    const size = approximateSize(entry.value);
    const { cache, key, ttl } = listed(core, call.key, { expiresAt: entry.expiresAt, size });
    return ok({
      key,
      cache,
      ttl,
      size,
      age: Math.max(0, Math.round((core.runtime.clock.now() - entry.createdAt) / 1000)),
      kind: entry.kind,
      tier: entry.source,
      tags: entry.tags,
      load_cost_ms: entry.loadCostMs,
      ...(showsValues && { value: previewValue(entry.value) }),
    });
  }
  return noSuchKey();
}

/** Deletes a key, from every cache that holds it unless one is named: `{"deleted": true}`, or 404. */
export async function deleteKey(call: AdminCall): Promise<AdminAnswer> {
  const caches = chosenCaches(call);
  if (caches === undefined) return noSuchCache();
  let count = 0;
  for (const core of caches) count += await core.delete([call.key], 'throw');
  return count > 0 ? ok({ deleted: true }) : noSuchKey();
}

/** The live entries under key texts. They count neither as hits nor as misses. */
export function entriesOf(
  core: CacheCore,
  keys: readonly string[],
): Promise<readonly (StoredEntry | undefined)[]> {
  return core.withStore(
    'inspect',
    'throw',
    keys.map(() => undefined),
    (store) => store.getMany(keys, { needsTimes: true }),
  );
}

/** What was wrong with what the client gave, or the error itself. */
export function refuseOption(error: unknown): AdminAnswer {
  if (!(error instanceof InvalidOptionError)) throw error;
  // It repeats what the client itself has sent, and nothing else.
  return badRequest(error.message);
}

interface Page {
  readonly keys: readonly ListedKey[];
  readonly cursor: string;
}

async function pageOf(
  core: CacheCore,
  glob: string | undefined,
  cursor: string,
  count: number,
): Promise<Page> {
  const pattern = glob === undefined ? undefined : compilePattern(glob);
  const page = await core.withStore('keys', 'throw', { keys: [], cursor: '0' }, (store) =>
    store.scan({ pattern, cursor, count }),
  );
  const keys = [...new Set(page.keys)];
  const outlines = await outlinesOf(core, keys);
  return {
    keys: keys.flatMap((key, index) => {
      const outline = outlines[index];
      // It went between the two questions.
      return outline === undefined ? [] : [listed(core, key, outline)];
    }),
    cursor: page.cursor,
  };
}

/** The cursor is the number of the cache that the walk stands in, and that cache's own: `2.17`. */
async function pageOfAll(
  caches: readonly CacheCore[],
  glob: string | undefined,
  cursor: string,
  count: number,
): Promise<Page> {
  const place = /^(\d{1,6})\.(.+)$/s.exec(cursor);
  if (place === null && cursor !== '0') throw invalidCursor();
  let index = Number(place?.[1] ?? 0);
  let inner = place?.[2] ?? '0';
  if (glob !== undefined) compilePattern(glob);
  const keys: ListedKey[] = [];
  for (let looked = 0; looked < MAX_CACHES_PER_PAGE && index < caches.length; looked++) {
    const page = await pageOf(caches[index]!, glob, inner, count - keys.length);
    keys.push(...page.keys);
    inner = page.cursor;
    if (inner !== '0') break;
    index++;
    if (keys.length >= count) break;
  }
  return { keys, cursor: index < caches.length ? `${index}.${inner}` : '0' };
}

function listed(core: CacheCore, key: string, { expiresAt, size }: KeyOutline): ListedKey {
  const ttlMs = Math.max(0, expiresAt - core.runtime.clock.now());
  return {
    key,
    ttl: ttlMs === Infinity ? null : Math.ceil(ttlMs / 1000),
    cache: core.name,
    size,
  };
}

/** A number where it stays exact: cursors of Redis have 64 bits. */
function plainCursor(cursor: string): string | number {
  const isExact = /^(?:0|[1-9]\d*)$/.test(cursor) && Number.isSafeInteger(Number(cursor));
  return isExact ? Number(cursor) : cursor;
}

function invalidCursor(): InvalidOptionError {
  return new InvalidOptionError('cursor', 'expected the cursor of the page before');
}

function noSuchKey(): AdminAnswer {
  return refusal(404, 'ERR_ADMIN_NO_SUCH_KEY', 'There is no entry under this key.');
}
