import { expect } from 'chai';
import { renderConsistencyReport } from '#internal/testing/consistency/consistency-report.js';
import { runConsistency } from '#internal/testing/consistency/run-consistency.js';
import { startRedisCluster } from '../../support/redis-cluster.js';

/** A small part of what the run on single servers makes: a clear alone is 17 commands here. */
const INVALIDATIONS = Math.ceil(Number(process.env['CONSISTENCY_INVALIDATIONS'] ?? 100_000) / 25);

describe('consistency over processes on a Cluster', function () {
  this.timeout(60_000 + INVALIDATIONS * 20);

  it(`holds P1 for ${INVALIDATIONS} invalidations by three processes`, async () => {
    const servers = await startRedisCluster();
    try {
      const report = await runConsistency({
        subject: new URL('../../support/consistency/cluster-subject.js', import.meta.url),
        subjectOptions: { nodes: servers.nodes },
        processes: 3,
        invalidations: INVALIDATIONS,
        seed: 3,
      });
      expect(report.violations, renderConsistencyReport(report)).to.equal(0);
      expect(report.acknowledged).to.be.at.least(INVALIDATIONS);
      expect(report.failures.count, report.failures.reasons.join()).to.equal(0);
      expect(report.invalidations).to.have.all.keys(
        ...['key', 'keys', 'pattern', 'tags', 'allTags', 'clear', 'expire', 'put'],
      );
      // A run in which nothing was hit, or nothing met, would prove nothing.
      expect(report.hits).to.be.greaterThan(report.reads / 10);
      expect(report.races).to.be.greaterThan(report.reads / 20);
    } finally {
      await servers.stop();
    }
  });
});
