import type { Request, Response } from 'express';
import type { CacheBackend } from '#internal/cache/backend.js';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { HttpFixture, type Answer, type AskOptions } from './http-fixture.js';

/** An application under attack, anew for each spec of the suite that makes it. */
export interface AttackedRoute {
  readonly http: HttpFixture;
  /** How often a handler has run. */
  readonly runs: number;
  /** Adds a route behind a cache with nothing but a `ttl`. */
  route(
    path: string,
    handler: (req: Request, res: Response) => unknown,
    options?: HttpCacheOptions,
  ): void;
  ask(path: string, headers?: AskOptions['headers']): Promise<Answer>;
}

/** Starts an application before each spec of the suite, and stops it after it. */
export function attackedRoute(backendOf: () => CacheBackend): AttackedRoute {
  let http: HttpFixture;
  let runs = 0;

  beforeEach(async () => {
    http = await HttpFixture.start({ backend: backendOf() });
    runs = 0;
  });

  afterEach(() => http.stop());

  return {
    get http() {
      return http;
    },
    get runs() {
      return runs;
    },
    route(path, handler, options = {}) {
      const cache = httpCache({ manager: http.manager, ttl: '1m', ...options });
      http.app.get(path, cache, (req, res) => {
        runs++;
        return handler(req, res);
      });
    },
    ask: (path, headers = {}) => http.ask(path, { headers }),
  };
}
