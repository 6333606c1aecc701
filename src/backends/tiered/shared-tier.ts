import type { BackendStore, FillStart, LoadTurn } from '../../cache/backend.js';
import type { StoredEntry } from '../../cache/entry.js';
import { andThen } from '../../cache/maybe-promise.js';

/** A store whose answers say that they come from the shared tier, whatever kind of backend gives them. */
export function sharedTier(store: BackendStore): BackendStore {
  return {
    get: (key, hints) => andThen(store.get(key, hints), labelled),
    getMany: (keys, hints) => andThen(store.getMany(keys, hints), (found) => found.map(labelled)),
    begin: (keys, hints) =>
      andThen(store.begin(keys, hints), (starts) => starts.map(labelledStart)),
    ...(store.beginTurns !== undefined && {
      beginTurns: (keys, hints) =>
        andThen(store.beginTurns!(keys, hints), (turns) =>
          turns.map((turn) => (isStart(turn) ? labelledStart(turn) : turn)),
        ),
    }),
    watch: (options) => store.watch(options),
    release: (tokens, options) => store.release(tokens, options),
    store: (writes, options) => store.store(writes, options),
    delete: (keys, options) => store.delete(keys, options),
    deletePattern: (pattern, options) => store.deletePattern(pattern, options),
    clear: (options) => store.clear(options),
    expire: (key, ttlMs, retainMs, options) => store.expire(key, ttlMs, retainMs, options),
    touch: (key, retainMs) => store.touch(key, retainMs),
    scan: (request) => store.scan(request),
  };
}

/** Whether a fill may begin, and no other process has the turn. */
export function isStart(turn: FillStart | LoadTurn): turn is FillStart {
  return 'token' in turn;
}

function labelledStart(start: FillStart): FillStart {
  if (start.entry === undefined || start.entry.source === 'l2') return start;
  return { token: start.token, entry: labelled(start.entry) };
}

function labelled(entry: StoredEntry | undefined): StoredEntry | undefined {
  if (entry === undefined || entry.source === 'l2') return entry;
  const { value, kind, tags, sequence, createdAt, expiresAt, retainedUntil, loadCostMs } = entry;
  const times = { createdAt, expiresAt, retainedUntil };
  return { value, kind, tags, sequence, ...times, loadCostMs, source: 'l2' };
}
