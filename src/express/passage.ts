import type { ServerResponse } from 'node:http';

/** A run of a handler for one response, which a cache further in takes over. */
export interface RunningExchange {
  /** Resolves when the other cache may begin. */
  handOver(): Promise<void>;
}

/** What stands in for the methods of a response: each gets the arguments that the route gave. */
export interface MethodStandIn {
  writeHead(args: unknown[]): ServerResponse;
  write(args: unknown[]): boolean;
  end(args: unknown[]): ServerResponse;
  flushHeaders(): void;
}

/**
 * What caches have to know of a response that was handed on to a handler.
 *
 * One note for all: to remember something of a response costs more than most of what a hit does, because Express gives each response
 * another prototype. So a response that is answered from the cache has none.
 */
export interface Passage {
  /** How many caches it has passed. */
  caches: number;
  /** Whose handler is running. */
  exchange: RunningExchange | undefined;
  /** Who stands in for its methods, where its prototype was replaced. */
  standIn: MethodStandIn | undefined;
}

const passages = new WeakMap<ServerResponse, Passage>();

/** What is known of a response; `undefined` while no cache has handed it on. */
export function passageOf(res: ServerResponse): Passage | undefined {
  return passages.get(res);
}

/** The same, for taking note of something. */
export function notePassage(res: ServerResponse): Passage {
  let passage = passages.get(res);
  if (passage === undefined) {
    passage = { caches: 0, exchange: undefined, standIn: undefined };
    passages.set(res, passage);
  }
  return passage;
}
