import type { Server } from 'node:http';
import type { CacheManager } from '../manager/cache-manager.js';

/** What a timer can wait at the most: 24.8 days. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;
/** How often a closing server looks for connections that nothing is going on on, in milliseconds. */
const IDLE_INTERVAL_MS = 20;

/** Ends servers, then what belongs to the cache, once and in order. */
export class GracefulClose {
  readonly #manager: CacheManager;
  readonly #timeoutMs: number;
  readonly #endStreams: () => void;
  readonly #servers = new Set<Server>();
  readonly #forget: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  constructor(manager: CacheManager, timeoutMs: number, endStreams: () => void) {
    this.#manager = manager;
    this.#timeoutMs = timeoutMs;
    this.#endStreams = endStreams;
  }

  attach(server: Server): void {
    this.#servers.add(server);
    server.once('close', () => {
      this.#servers.delete(server);
      if (this.#servers.size === 0) void this.close();
    });
  }

  listen(signals: readonly NodeJS.Signals[]): void {
    for (const signal of signals) {
      const onSignal = (): void => {
        void this.close().finally(() => {
          // Others who listen decide for themselves.
          if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
        });
      };
      process.once(signal, onSignal);
      this.#forget.push(() => process.removeListener(signal, onSignal));
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const forget of this.#forget) forget();
    // Streams never end by themselves, and their servers would wait for them.
    this.#endStreams();
    await Promise.all([...this.#servers].map((server) => this.#end(server)));
    await this.#manager.close({ timeout: this.#timeoutMs });
  }

  #end(server: Server): Promise<void> {
    return new Promise((resolve) => {
      const limitMs = Math.min(this.#timeoutMs, LONGEST_DELAY_MS);
      const limit = setTimeout(() => server.closeAllConnections(), limitMs);
      // Connections whose last request has been answered stay open for the next, which will not come.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_INTERVAL_MS);
      // A server that does not listen any more calls back as well.
      server.close(() => {
        clearTimeout(limit);
        clearInterval(idle);
        resolve();
      });
      server.closeIdleConnections();
    });
  }
}
