import { expect } from 'chai';
import type { CacheDefinition } from '#internal/cache/cache-handle.js';
import type { ConsistencyOptions } from '#internal/testing/consistency/consistency-options.js';
import { runConsistency } from '#internal/testing/consistency/run-consistency.js';
import { expectHeldUndisturbed } from '../../support/consistency/expect-held.js';
import { loadsBehind } from '../../support/consistency/loads-behind.js';
import type { RedisSubjectOptions } from '../../support/consistency/redis-subject.js';
import type { TieredSubjectOptions } from '../../support/consistency/tiered-subject.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';

/** How many invalidations each run makes. */
const INVALIDATIONS = Number(process.env['CONSISTENCY_BEHIND_INVALIDATIONS'] ?? 3_000);
/** How long a message, and a process that is to judge it, may be kept waiting by a busy machine. In milliseconds. */
const TRANSIT_MS = 1_000;

/**
 * Entries are stale nearly as soon as they are stored. A young one is served while it is loaded behind the answer. For
 * an older one callers wait, but not long, and most of them get it before the load has ended.
 */
const DEFINITION: Pick<
  CacheDefinition,
  'ttl' | 'staleWhileRevalidate' | 'staleIfError' | 'softTimeout'
> = {
  ttl: '5ms',
  staleWhileRevalidate: '20ms',
  staleIfError: '1m',
  softTimeout: '3ms',
};

describe('consistency of loads behind answers', function () {
  this.timeout(60_000 + INVALIDATIONS * 20);

  let server: RedisServer;

  beforeEach(async () => {
    server = await startRedisServer();
  });

  afterEach(() => server.stop());

  /** Both ways of loading behind an answer, all the time; what was invalidated is never served as stale. */
  const holds = async (
    subject: string,
    options: Pick<ConsistencyOptions, 'subjectOptions' | 'bound'>,
  ): Promise<void> => {
    const report = await runConsistency({
      subject: new URL(`../../support/consistency/${subject}.js`, import.meta.url),
      processes: 3,
      invalidations: INVALIDATIONS,
      slowestLoad: '80ms',
      actors: 16,
      // Most keys live long enough to be stale, and many of those that are being loaded are invalidated.
      mix: { read: 120, key: 20, clear: 0.2 },
      ...options,
    });
    expectHeldUndisturbed(report, INVALIDATIONS, 100);
    const client = server.client();
    try {
      const { refreshes, completions } = await loadsBehind(client);
      expect(refreshes, 'background refreshes').to.be.greaterThan(INVALIDATIONS / 100);
      expect(completions, 'late completions').to.be.greaterThan(INVALIDATIONS / 100);
    } finally {
      client.disconnect();
    }
  };

  it(`holds P1 for ${INVALIDATIONS} invalidations on Redis`, async () => {
    const { url } = server;
    const subjectOptions: RedisSubjectOptions = { url, countsUrl: url, definition: DEFINITION };
    await holds('redis-subject', { subjectOptions });
  });

  it(`holds P1, and P3 within ${TRANSIT_MS} ms, for ${INVALIDATIONS} invalidations on tiers`, async () => {
    const { url } = server;
    const subjectOptions: TieredSubjectOptions = {
      storeUrls: [url],
      busUrls: [url],
      commandTimeoutMs: 5_000,
      countsUrl: url,
      definition: DEFINITION,
    };
    await holds('tiered-subject', { subjectOptions, bound: TRANSIT_MS });
  });
});
