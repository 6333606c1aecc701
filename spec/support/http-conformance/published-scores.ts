/** How other caches do in the suite. */
export interface PublishedScore {
  readonly cache: string;
  readonly version: string;
  readonly required: number;
  readonly violations: number;
  readonly optimal: number;
  readonly check: number;
  readonly open: number;
}

/**
 * Measured in July 2026 with the suite at commit b55b8bd on Node 20.20 and Debian 12, by the suite's own verdicts. The
 * middlewares ran in Express 5.3.
 */
export const PUBLISHED_SCORES: readonly PublishedScore[] = [
  score('Apache Traffic Server', '9.2.9', 134, 18, 71, 45, 32),
  score('Apache httpd, mod_cache_disk', '2.4.71', 131, 12, 68, 44, 45),
  score('Express + undici cache interceptor', '7.30.2', 126, 16, 68, 48, 47),
  score('Varnish', '7.1.1', 119, 16, 45, 27, 68),
  score('Squid', '5.7', 118, 18, 61, 58, 44),
  score('nginx proxy_cache', '1.22.1', 100, 33, 58, 18, 68),
  score('HAProxy', '2.6.12', 89, 15, 39, 33, 101),
  score('http-cache-middleware', '1.4.1', 71, 35, 49, 20, 121),
  score('route-cache', '0.7.1', 22, 6, 0, 5, 285),
  score('express-expeditious', '5.1.1', 7, 8, 3, 13, 318),
  score('apicache-plus', '2.3.1', 6, 8, 6, 15, 319),
];

function score(
  cache: string,
  version: string,
  required: number,
  violations: number,
  optimal: number,
  check: number,
  open: number,
): PublishedScore {
  return { cache, version, required, violations, optimal, check, open };
}
