import type { RequestListener } from 'node:http';
import type { RequestHandler } from 'express';
import type { ConformanceRun } from './conformance-run.js';

/** A cache as an application uses it. */
export interface SubjectCache {
  readonly middlewares: readonly RequestHandler[];
  /** What listens in front of the application: the application itself, if there is no fast lane. */
  accelerate(app: RequestListener): RequestListener;
  /** How many requests were answered before the application got them. */
  readonly inFront: number;
  /** Failures of the cache itself: where there are any, verdicts say nothing. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

/** The cache that a run is about. */
export async function cacheOf(
  run: ConformanceRun,
  redisUrl: string | undefined,
): Promise<SubjectCache> {
  switch (run.subject) {
    case 'none':
      return behindExpress([]);
    case 'apicache':
      return behindExpress([(await apicache()).middleware('1 hour')]);
    case 'cachewell': {
      const { cachewellOf } = await import('./cachewell-subject.js');
      return cachewellOf(run, redisUrl);
    }
  }
}

function behindExpress(middlewares: readonly RequestHandler[]): SubjectCache {
  return {
    middlewares,
    accelerate: (app) => app,
    inFront: 0,
    faults: [],
    close: async () => undefined,
  };
}

interface Apicache {
  middleware(duration: string): RequestHandler;
}

async function apicache(): Promise<Apicache> {
  // @ts-expect-error The package has no types.
  return ((await import('apicache')) as { readonly default: Apicache }).default;
}
