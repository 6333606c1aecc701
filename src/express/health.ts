import {
  expectBoolean,
  expectInteger,
  expectNumber,
  expectOptions,
  rejectUnknown,
} from '../options.js';
import type { CacheHealth, CacheManager } from '../manager/cache-manager.js';
import { locateManager } from '../manager/manager-locator.js';
import type { HttpMiddleware } from './http-middleware.js';
import { sendJson } from './json-answer.js';
import { expectManagerOption } from './manager-option.js';

/** Options of {@link cacheHealth}. */
export interface CacheHealthOptions {
  /**
   * The manager, or a function that gives it at each request.
   * @defaultValue the container's
   */
  readonly manager?: CacheManager | (() => CacheManager) | undefined;
  /**
   * Whether the status is 200 whatever the word in the body is.
   * @defaultValue false
   */
  readonly alwaysOk?: boolean | undefined;
  /**
   * The hit rate below which a healthy cache is called `degraded`, from 0 to 1. It is looked at once there were
   * `minRequests` requests since the start or the last reset. 0 = never; 0.8 is a fair aim.
   * @defaultValue 0
   */
  readonly minHitRate?: number | undefined;
  /**
   * How many requests `minHitRate` needs to mean something.
   * @defaultValue 100
   */
  readonly minRequests?: number | undefined;
  /**
   * Whether the body says more than the word and the error's code: the backend's name, the state of its circuit breaker, the hit
   * rate, and why it is degraded. For those who may know.
   * @defaultValue false
   */
  readonly exposeDetails?: boolean | undefined;
}

/** The word for a cache's state: see {@link cacheHealth}. */
export type HealthWord = CacheHealth['status'];

/** What is known of a cache's state. */
export interface HealthReport {
  readonly status: HealthWord;
  readonly backend: string;
  readonly errorCode: string | undefined;
  readonly breaker: CacheHealth['breaker'];
  /** Why a cache that works is called degraded. */
  readonly reason: 'hit-rate' | undefined;
  readonly hitRate: number;
}

/** How many requests a hit rate needs to mean something when nothing says otherwise. */
export const DEFAULT_MIN_REQUESTS = 100;

/** The HTTP status of each word: an application whose cache is degraded or off goes on serving. */
const HTTP_STATUS: Readonly<Record<HealthWord, 200 | 503>> = {
  healthy: 200,
  degraded: 200,
  disabled: 200,
  unhealthy: 503,
  unavailable: 503,
};

/**
 * Answers whether the cache is usable, for a load balancer's readiness check: asks the store, which costs at most its
 * `commandTimeout`, once for all requests that come meanwhile.
 *
 * | word | HTTP | meaning |
 * |---|---|---|
 * | `healthy` | 200 | the store answers |
 * | `degraded` | 200 | usable in part, or `minHitRate` is missed |
 * | `disabled` | 200 | switched off |
 * | `unhealthy` | 503 | the store does not answer |
 * | `unavailable` | 503 | never connected, or closed |
 *
 * The body is `{"status": "…"}`, with `"error"`, the code of the failure, while there is one. It names no host. The
 * handler answers at whichever path it is mounted. It is no liveness check: to restart an application does not bring
 * its store back.
 *
 * @throws {@link InvalidOptionError} when an option is unknown or has no valid value
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { cacheHealth } from 'cachewell/express';
 *
 * const app = express();
 * app.get('/health/cache', cacheHealth({ minHitRate: 0.5 }));
 * ```
 */
export function cacheHealth(options: CacheHealthOptions = {}): HttpMiddleware {
  const owner = 'cacheHealth';
  expectOptions(owner, options);
  rejectUnknown(owner, options, [
    'manager',
    'alwaysOk',
    'minHitRate',
    'minRequests',
    'exposeDetails',
  ]);
  const isAlwaysOk = expectBoolean(`${owner}.alwaysOk`, options.alwaysOk ?? false);
  const exposesDetails = expectBoolean(`${owner}.exposeDetails`, options.exposeDetails ?? false);
  const minHitRate = expectNumber(`${owner}.minHitRate`, options.minHitRate ?? 0, 0, 1);
  const minRequests = expectInteger(
    `${owner}.minRequests`,
    options.minRequests ?? DEFAULT_MIN_REQUESTS,
    1,
    Infinity,
  );
  const given = expectManagerOption(owner, options.manager);
  const examine = healthExaminer({ minHitRate, minRequests });
  return (req, res, next) => {
    const answer = async (): Promise<void> => {
      const report = await examine(locateManager(undefined, given));
      const status = isAlwaysOk ? 200 : HTTP_STATUS[report.status];
      sendJson(req.method, res, status, healthBody(report, exposesDetails));
    };
    answer().catch(next);
  };
}

/** The HTTP status for a word. */
export function healthHttpStatus(word: HealthWord): 200 | 503 {
  return HTTP_STATUS[word];
}

/** A report as a body. */
export function healthBody(report: HealthReport, exposesDetails: boolean): object {
  const { status, errorCode, breaker, backend, reason, hitRate } = report;
  return {
    status,
    ...(errorCode !== undefined && { error: errorCode }),
    ...(exposesDetails && {
      backend,
      ...(breaker !== undefined && { breaker }),
      hit_rate: Math.round(hitRate * 1000) / 1000,
      ...(reason !== undefined && { reason }),
    }),
  };
}

/** Examines managers, each by one question to its store at a time. */
export function healthExaminer(limits: {
  readonly minHitRate: number;
  readonly minRequests: number;
}): (manager: CacheManager) => Promise<HealthReport> {
  const underWay = new WeakMap<CacheManager, Promise<boolean>>();
  return async (manager) => {
    let asked = underWay.get(manager);
    if (asked === undefined) {
      asked = manager.ping().finally(() => underWay.delete(manager));
      underWay.set(manager, asked);
    }
    const answers = await asked;
    const { status: word, errorCode, breaker, backend } = manager.health();
    const { hitRate, totalRequests } = manager.statistics();
    // The question may be the first sign of a fault that the breaker has not judged yet.
    const status = word === 'healthy' && !answers ? 'unhealthy' : word;
    const misses =
      status === 'healthy' && totalRequests >= limits.minRequests && hitRate < limits.minHitRate;
    return {
      status: misses ? 'degraded' : status,
      backend,
      errorCode,
      breaker,
      reason: misses ? 'hit-rate' : undefined,
      hitRate,
    };
  };
}
