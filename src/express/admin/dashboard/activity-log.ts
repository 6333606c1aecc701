import type { CacheManager } from '../../../manager/cache-manager.js';

/** Something that an operator wants to know of. Neither keys' values nor messages of errors are in it. */
export interface Activity {
  /** Ascends; a reader that has seen it knows what is new. */
  readonly id: number;
  readonly at: number;
  readonly kind: 'degraded' | 'recovered' | 'error' | 'deferred' | 'invalidate';
  readonly text: string;
}

/** How many are kept. */
const CAPACITY = 30;
const MAX_TEXT = 160;

/** What happened of late: faults and their ends, and what was invalidated at large. */
export class ActivityLog implements Disposable {
  readonly #entries: Activity[] = [];
  readonly #subscriptions: readonly Disposable[];
  readonly #manager: CacheManager;
  #lastId = 0;

  constructor(manager: CacheManager) {
    this.#manager = manager;
    this.#subscriptions = [
      manager.on('degraded', ({ error }) => this.#add('degraded', error.code)),
      manager.on('recovered', () => this.#add('recovered', 'The store answers again')),
      manager.on('error', ({ operation, error, cache }) =>
        this.#add(
          'error',
          `${operation}${cache === undefined ? '' : ` in ${cache}`}: ${error.code}`,
        ),
      ),
      manager.on('deferred', ({ operation, error }) =>
        this.#add('deferred', `${operation}: ${error.code}`),
      ),
      manager.on('invalidate', (event) => {
        if (event.scope === 'pattern')
          this.#add('invalidate', `${event.pattern} in ${event.cache}`);
        else if (event.scope === 'cache') this.#add('invalidate', `all of ${event.cache}`);
        else if (event.scope === 'tags') this.#add('invalidate', `tags ${event.tags.join(', ')}`);
        else if (event.scope === 'all') this.#add('invalidate', 'all caches');
      }),
    ];
  }

  /** The newest, the last one last. */
  entries(): readonly Activity[] {
    return this.#entries;
  }

  [Symbol.dispose](): void {
    for (const each of this.#subscriptions) each[Symbol.dispose]();
  }

  #add(kind: Activity['kind'], text: string): void {
    const last = this.#entries.at(-1);
    // A fault that hits every call is one piece of news.
    if (last !== undefined && last.kind === kind && last.text === text) return;
    const at = this.#manager.runtime.clock.now();
    this.#entries.push({ id: ++this.#lastId, at, kind, text: text.slice(0, MAX_TEXT) });
    if (this.#entries.length > CAPACITY) this.#entries.shift();
  }
}
