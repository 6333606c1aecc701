import type { ScanPage, ScanRequest } from './backend.js';
import type { CacheCore } from './cache-core.js';
import { takeStep, type CallBudget } from './call-budget.js';
import type { StoredEntry } from './entry.js';
import { isThere } from './read-unloaded.js';

const NOTHING: ScanPage = Object.freeze({ keys: Object.freeze([]), cursor: '0' });

/** How many keys are asked for at a time. */
const KEYS_PER_PAGE = 1000;

/** A page of a cache's live keys; the last one where the store fails. */
export function keysPage(
  core: CacheCore,
  request: ScanRequest,
  budget?: CallBudget,
): Promise<ScanPage> {
  return core.withStore('keys', core.settings.onError, NOTHING, (store) =>
    takeStep(budget, undefined, () => store.scan(request)),
  );
}

/** The entries that `get` would give, each once, a page at a time. Ends where the store is out of reach. */
export async function* walkEntries(
  core: CacheCore,
): AsyncGenerator<readonly [key: string, entry: StoredEntry]> {
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const budget = core.startBudget();
    const page = await keysPage(core, { cursor, count: KEYS_PER_PAGE }, budget);
    const fresh = [...new Set(page.keys)].filter((key) => !seen.has(key));
    for (const key of fresh) seen.add(key);
    const entries = await core.withStore(
      'iterate',
      core.settings.onError,
      [] as readonly (StoredEntry | undefined)[],
      (store) => takeStep(budget, undefined, (options) => store.getMany(fresh, options)),
    );
    for (const [index, entry] of entries.entries()) {
      if (entry?.kind === 'value' && isThere(core, entry)) yield [fresh[index]!, entry];
    }
    // The next page would show the same.
    if (budget?.failure !== undefined) return;
    cursor = page.cursor;
  } while (cursor !== '0');
}
