import { CacheBackendError } from '../../../errors.js';
import type { CacheManager } from '../../../manager/cache-manager.js';
import type { HttpRequest, HttpResponse } from '../../http-middleware.js';
import { refusal, type AdminAnswer } from '../admin-answer.js';
import { LiveSampler } from './live-sampler.js';

/** How long a reader may take nothing before it is let go. */
const MAX_BLOCKED_MS = 30_000;
/** How long a stream lasts: who watches has to be let in anew from time to time. */
const MAX_STREAM_MS = 15 * 60_000;

/** What the feed needs to know. */
export interface LiveFeedOptions {
  readonly intervalMs: number;
  readonly maxWatchers: number;
}

interface Watcher {
  readonly res: HttpResponse;
  readonly startedAt: number;
  wroteAt: number;
}

/**
 * The stream behind a dashboard: server-sent events (HTML Standard, section 9.2), a `snapshot` each interval, which is
 * the sign of life, too.
 *
 * One picture is made for all who watch, and none while nobody does. A reader that does not keep up misses pictures, and
 * the server keeps none of them for it; one that takes nothing for 30 seconds is cut off. Streams end with the manager,
 * with `close`, and after 15 minutes, when the reader has to show again that it may watch.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #watchers = new Set<Watcher>();
  #sampler: LiveSampler | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  /** Answers with the stream, or refuses; `undefined` when it has answered. */
  watch(manager: CacheManager, req: HttpRequest, res: HttpResponse): AdminAnswer | undefined {
    if (this.#watchers.size >= this.#options.maxWatchers) {
      const after = { 'Retry-After': '10' };
      return refusal(503, 'ERR_ADMIN_TOO_MANY_WATCHERS', 'Too many dashboards are open.', after);
    }
    if (manager.isClosed) return refusal(503, 'ERR_CACHE_CLOSED', 'The cache is closed.');
    res.statusCode = 200;
    res.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    // A compressor or proxy that waits for more would delay every event.
    res.setHeader('Cache-Control', 'no-store, no-transform');
    res.setHeader('X-Accel-Buffering', 'no');
    if (req.method === 'HEAD') {
      res.end();
      return undefined;
    }
    const now = performance.now();
    const watcher = { res, startedAt: now, wroteAt: now };
    res.on('error', () => this.#remove(watcher));
    res.on('close', () => this.#remove(watcher));
    // Whoever left while the guard was asking says so no more.
    if (res.destroyed) return undefined;
    this.#watchers.add(watcher);
    try {
      write(watcher, snapshotEvent(this.#start(manager)));
    } catch (error) {
      this.#remove(watcher);
      throw error;
    }
    return undefined;
  }

  /** Ends all streams. */
  close(): void {
    for (const watcher of [...this.#watchers]) this.#end(watcher, 'event: bye\ndata: {}\n\n');
  }

  #start(manager: CacheManager): LiveSampler {
    if (this.#sampler?.manager !== manager) {
      this.#sampler?.[Symbol.dispose]();
      this.#sampler = new LiveSampler(manager);
    }
    void this.#sampler.refresh();
    this.#timer ??= setInterval(() => this.#tick(), this.#options.intervalMs).unref();
    return this.#sampler;
  }

  #tick(): void {
    const sampler = this.#sampler!;
    if (sampler.manager.isClosed) {
      this.close();
      return;
    }
    void sampler.refresh();
    let event: string;
    try {
      event = snapshotEvent(sampler);
    } catch (error) {
      // A backend whose own account fails must not end the process by way of a timer.
      const failure = new CacheBackendError('The dashboard got no picture.', { cause: error });
      sampler.manager.runtime.reportError('dashboard', failure, undefined);
      this.close();
      return;
    }
    for (const watcher of [...this.#watchers]) this.#tell(watcher, event);
  }

  #tell(watcher: Watcher, event: string): void {
    const now = performance.now();
    if (watcher.res.writableNeedDrain) {
      if (now - watcher.wroteAt > MAX_BLOCKED_MS) watcher.res.destroy();
    } else if (now - watcher.startedAt > MAX_STREAM_MS) {
      this.#end(watcher, 'event: again\ndata: {}\n\n');
    } else {
      write(watcher, event);
    }
  }

  #end(watcher: Watcher, event: string): void {
    this.#remove(watcher);
    watcher.res.end(event);
  }

  #remove(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#sampler?.[Symbol.dispose]();
    this.#sampler = undefined;
  }
}

/** JSON holds no line break of its own, so one `data` line is enough. */
function snapshotEvent(sampler: LiveSampler): string {
  return `event: snapshot\ndata: ${JSON.stringify(sampler.picture())}\n\n`;
}

function write(watcher: Watcher, event: string): void {
  watcher.wroteAt = performance.now();
  watcher.res.write(event);
}
