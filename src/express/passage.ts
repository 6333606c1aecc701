import type { ServerResponse } from 'node:http';

/** A run of a handler for one response, which a cache further in takes over. */
export interface RunningExchange {
  /** Resolves when the other cache may begin. */
  handOver(): Promise<void>;
}

/**
 * What caches have to know of a response that was handed on to a handler.
 *
 * A property of the response, which costs less than an entry in a weak map. A response that is answered from the cache has none.
 */
export interface Passage {
  /** How many caches it has passed. */
  caches: number;
  /** Whose handler is running. */
  exchange: RunningExchange | undefined;
}

const PASSAGE = Symbol('cachewell.passage');

interface Noted {
  [PASSAGE]?: Passage;
}

/** What is known of a response; `undefined` while no cache has handed it on. */
export function passageOf(res: ServerResponse): Passage | undefined {
  return (res as Noted)[PASSAGE];
}

/** The same, for taking note of something. */
export function notePassage(res: ServerResponse): Passage {
  return ((res as Noted)[PASSAGE] ??= { caches: 0, exchange: undefined });
}
