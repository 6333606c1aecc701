import { randomBytes } from 'node:crypto';
import type { ReadHints } from '../cache/backend.js';
import type { CacheCore } from '../cache/cache-core.js';
import type { CallBudget } from '../cache/call-budget.js';
import type { StoredEntry } from '../cache/entry.js';
import { andThen, isPending, type MaybePromise } from '../cache/maybe-promise.js';
import { CacheDeserializationError } from '../errors.js';
import type { FieldMap } from '../http/http-message.js';
import type { ForwardReason } from '../http/cache-status.js';
import type { HttpCachePolicy } from '../http/http-cache-policy.js';
import { readRecord, type HttpRecord } from './stored-record.js';

/*
 * Responses of one URL that `Vary` tells apart.
 *
 * The first one lies under the URL's key, and its `vary` says which fields count. Each further one has two places, by the
 * hash of its selecting values: `<key>:~<n>` with n below `maxVariants`. It goes to the first that is free, or to the one whose
 * response is older. So a URL has a bounded number of keys without a directory that two processes would have to agree
 * on, a hit costs one lookup for the first variant and one more for the others, and whatever lies in a place is compared with the
 * request before it is used (RFC 9111 section 4.1). Few variants collide: two places instead of one hold about half of all
 * places filled.
 */

/** What a lookup has found for one request. */
export interface Found {
  /** Where the response to this request lies, or would. */
  readonly key: string;
  readonly entry: StoredEntry | undefined;
  /** The response that this request selects. */
  readonly record: HttpRecord | undefined;
  /** What a response under this key has to carry; `undefined` = it is the first, and makes its own. */
  readonly variants: string | undefined;
  /** Why there is no response to this request, or none that will do: the URL is new, or what there is of it is a variant, or a part. */
  readonly fwd: ForwardReason;
}

/** How to look up. */
export interface VariantLookup {
  readonly core: CacheCore;
  readonly key: string;
  readonly headers: FieldMap;
  readonly policy: HttpCachePolicy;
  readonly maxVariants: number;
  readonly hints: ReadHints | undefined;
  readonly budget: CallBudget | undefined;
}

/** Finds the response that a request selects. At once where the store answers at once. */
export function findVariant(lookup: VariantLookup): MaybePromise<Found> {
  const { core, key, hints, budget } = lookup;
  const found = core.find(key, 'bypass', hints, budget);
  return isPending(found) ? found.then((entry) => firstOf(lookup, entry)) : firstOf(lookup, found);
}

/** A new id for the variants of a URL. */
export function newVariantsId(): string {
  return `${PROCESS_ID}${(counter++).toString(36)}`;
}

const PROCESS_ID = randomBytes(9).toString('base64url');
let counter = 0;

function firstOf(lookup: VariantLookup, entry: StoredEntry | undefined): MaybePromise<Found> {
  const { core, key, headers, policy, maxVariants, hints, budget } = lookup;
  if (entry === undefined) return nothingUnder(key);
  const first = readRecord(entry.value);
  if (first === undefined) return andThen(drop(core, key, budget), () => nothingUnder(key));
  if (first.vary.length === 0 || policy.selects(first, headers)) {
    return { key, entry, record: first, variants: undefined, fwd: 'miss' };
  }
  const fwd = first.status === 206 ? 'partial' : 'vary-miss';
  const other: Found = { key, entry, record: undefined, variants: undefined, fwd };
  if (maxVariants === 0 || first.variants === undefined) return other;
  const { variants } = first;
  const keys = placesOf(key, policy.selectingValues(first.vary, headers), maxVariants);
  const entries = findAll(core, keys, hints, budget);
  return andThen(entries, (all) => {
    const places = keys.map((each, index) => {
      const held = all[index];
      const record = held === undefined ? undefined : readRecord(held.value);
      return { key: each, entry: held, record: record?.variants === variants ? record : undefined };
    });
    const own = places.find(
      ({ record }) => record !== undefined && policy.selects(record, headers),
    );
    if (own !== undefined) return { ...own, variants, fwd: 'miss' };
    const [oldest] = places.sort((a, b) => timeOf(a.record) - timeOf(b.record));
    return { key: oldest!.key, entry: oldest!.entry, record: undefined, variants, fwd };
  });
}

function nothingUnder(key: string): Found {
  return { key, entry: undefined, record: undefined, variants: undefined, fwd: 'uri-miss' };
}

function findAll(
  core: CacheCore,
  keys: readonly string[],
  hints: ReadHints | undefined,
  budget: CallBudget | undefined,
): MaybePromise<readonly (StoredEntry | undefined)[]> {
  return core.findMany(keys, 'bypass', hints, budget);
}

/** What cannot be sent is void, and whoever can write to the store should be known to have written it. */
async function drop(core: CacheCore, key: string, budget: CallBudget | undefined): Promise<void> {
  core.failCallback(
    'get',
    new CacheDeserializationError(
      `The entry under '${key}' in cache '${core.name}' is no response that could be sent; it is dropped.`,
    ),
    'bypass',
    key,
  );
  await core.delete([key], 'bypass', budget);
}

function timeOf(record: HttpRecord | undefined): number {
  return record?.respondedAt ?? -1;
}

/** One or two places for a variant, by FNV-1a over its selecting values. */
function placesOf(key: string, selecting: readonly string[], count: number): readonly string[] {
  let hash = 0x811c9dc5;
  for (const value of selecting) {
    for (let index = 0; index < value.length; index++) {
      hash = Math.imul(hash ^ value.charCodeAt(index), 0x01000193);
    }
    hash = Math.imul(hash ^ 0x1ffff, 0x01000193);
  }
  const mixed = (hash ^ (hash >>> 15)) >>> 0;
  const first = mixed % count;
  if (count === 1) return [`${key}:~0`];
  const second = (first + 1 + (Math.floor(mixed / count) % (count - 1))) % count;
  return [`${key}:~${first}`, `${key}:~${second}`];
}
