import { expect } from 'chai';
import { InvalidOptionError } from '#internal/errors.js';
import { ConsistencyRunError } from '#internal/testing/consistency/consistency-run-error.js';
import type { ConsistencyOptions } from '#internal/testing/consistency/consistency-options.js';
import {
  renderConsistencyReport,
  type ConsistencyReport,
} from '#internal/testing/consistency/consistency-report.js';
import { runConsistency } from '#internal/testing/consistency/run-consistency.js';
import type { Breakage } from '../../../support/consistency/broken-subjects.js';

const subjectUrl = (name: string): URL =>
  new URL(`../../../support/consistency/${name}.js`, import.meta.url);

describe(runConsistency.name, function () {
  this.timeout(60_000);

  describe('of a manager on the memory backend', () => {
    let report: ConsistencyReport;

    before(async () => {
      report = await runConsistency({
        subject: subjectUrl('memory-subject'),
        invalidations: 10_000,
        actors: 32,
      });
    });

    it('finds no violation', () => {
      expect(report.violations, renderConsistencyReport(report)).to.equal(0);
    });

    it('has used every kind of invalidation, and came close', () => {
      expect(report.acknowledged).to.be.at.least(10_000);
      expect(report.invalidations).to.have.all.keys(
        ...['key', 'keys', 'pattern', 'tags', 'allTags', 'clear', 'expire', 'put'],
      );
      expect(report.failures.count, report.failures.reasons.join()).to.equal(0);
      expect(report.hits).to.be.greaterThan(1000);
      expect(report.races).to.be.greaterThan(1000);
    });

    it('says so in words', () => {
      const text = renderConsistencyReport(report);
      expect(text).to.match(/^1 processes, 64 keys, seed 1, bound 0 ms/);
      expect(text).to.match(/violations: 0$/);
    });
  });

  it('finds a cache by hand out, and shows what led to it', async () => {
    const report = await runConsistency({
      subject: subjectUrl('plain-memory-subject').pathname,
      invalidations: 2000,
      examples: 3,
    });
    expect(report.stale).to.be.greaterThan(10);
    expect(report.examples).to.have.length(3);
    for (const { rule, read, invalidation, trail, staleMs } of report.examples) {
      expect(rule).to.equal('stale');
      expect(trail).to.include(read).and.to.include(invalidation);
      expect(invalidation!.endedAt).to.be.lessThan(read.startedAt);
      expect(staleMs).to.be.greaterThan(0);
    }
    expect(report.staleness.count).to.equal(report.stale);
    expect(renderConsistencyReport(report)).to.match(/#3 stale: read of g\d-\d+ in process 0/);
  });

  it('finds out that a manager stores without fences', async () => {
    const report = await runConsistency({
      subject: subjectUrl('unfenced-subject'),
      subjectOptions: {},
      invalidations: 2000,
    });
    expect(report.stale).to.be.greaterThan(10);
  });

  it('replaces processes that its faults kill, and goes on', async () => {
    const report = await runConsistency({
      subject: subjectUrl('memory-subject'),
      processes: 2,
      invalidations: 2000,
      // Each process has a memory of its own, which the other one's invalidations never reach.
      bound: Infinity,
      faults: async (run) => {
        await run.kill(1);
        run.freeze(0);
        await run.kill(1);
        run.thaw(0);
      },
    });
    expect(report).to.include({ processes: 2, killed: 2, violations: 0 });
    expect(report.acknowledged).to.be.at.least(2000);
  });

  it('finds that processes do not hear of each other', async () => {
    const report = await runConsistency({
      subject: subjectUrl('memory-subject'),
      processes: 2,
      invalidations: 2000,
      bound: '5ms',
    });
    expect(report.stale).to.equal(0);
    expect(report.late).to.be.greaterThan(0);
    expect(report.examples[0]!.staleMs).to.be.greaterThan(5);
  });

  it('ends after its duration, pauses of its faults included', async () => {
    let isOver = false;
    const report = await runConsistency({
      subject: subjectUrl('memory-subject'),
      invalidations: Infinity,
      duration: 200,
      faults: async (run) => {
        await run.pause('1h');
        await run.pause('1h');
        isOver = run.signal.aborted;
      },
    });
    expect(isOver).to.equal(true);
    expect(report.acknowledged).to.be.greaterThan(0);
  });

  it('ends although a process is replaced after its duration', async () => {
    const { killed } = await runConsistency({
      subject: subjectUrl('memory-subject'),
      invalidations: Infinity,
      duration: 1,
      faults: (run) => run.kill(0),
    });
    expect(killed).to.equal(1);
  });

  it('rejects with what its faults reject with', async () => {
    const fault = new Error('there is no such server');
    const run = runConsistency({
      subject: subjectUrl('memory-subject'),
      duration: '1h',
      invalidations: Infinity,
      faults: () => Promise.reject(fault),
    });
    expect(await run.catch((error: unknown) => error)).to.equal(fault);
  });

  describe('of a subject that breaks', () => {
    const run = (how: Breakage, options: Partial<ConsistencyOptions> = {}): Promise<unknown> =>
      runConsistency({
        subject: subjectUrl('broken-subjects'),
        subjectOptions: how,
        invalidations: 500,
        ...options,
      }).catch((error: unknown) => error);

    it('fails when it does not open', async () => {
      const error = await run('open');
      expect(error).to.be.instanceOf(ConsistencyRunError);
      expect((error as Error).message).to.include('no server to be found');
    });

    it('fails when an operation never ends', async () => {
      const error = await run('hang', { patience: '5s' });
      expect(error).to.be.instanceOf(ConsistencyRunError);
      expect((error as Error).message).to.include('operations did not end');
    });

    it('fails when a process ends by itself, and shows its last words', async () => {
      const error = await run('crash');
      expect(error).to.be.instanceOf(ConsistencyRunError);
      expect((error as Error).message).to.include('a callback of the cache threw');
    });

    it('fails when there is no such module, or none with a subject', async () => {
      const missing = await run('nothing', { subject: '/nowhere/subject.js' });
      expect(missing).to.be.instanceOf(ConsistencyRunError);
      const other = await run('nothing', { subject: subjectUrl('naive-judge') });
      expect((other as Error).message).to.include('exports no openSubject');
    });

    it('counts what rejects, the failures of the origin left out', async () => {
      const report = (await run('reject')) as ConsistencyReport;
      expect(report.failures.reasons).to.deep.equal(['Error: the store is away']);
      expect(report.failures.byOperation).to.have.all.keys('read');
      expect(report.violations).to.equal(0);
    });

    it('finds what the origin never gave', async () => {
      const report = (await run('foreign')) as ConsistencyReport;
      expect(report.foreign).to.be.greaterThan(0);
      expect(report.violations).to.equal(report.foreign);
      expect(renderConsistencyReport(report)).to.include('that the origin never gave');
    });
  });

  describe('options', () => {
    const subject = subjectUrl('memory-subject');

    for (const [options, named] of [
      [{}, 'runConsistency.subject'],
      [{ subject, processes: 0 }, 'runConsistency.processes'],
      [{ subject, actors: 1.5 }, 'runConsistency.actors'],
      [{ subject, keys: 0 }, 'runConsistency.keys'],
      [{ subject, invalidations: Infinity }, 'runConsistency.invalidations'],
      [{ subject, duration: 'soon' }, 'runConsistency.duration'],
      [{ subject, bound: -1 }, 'runConsistency.bound'],
      [{ subject, mix: { put: -1 } }, 'runConsistency.mix.put'],
      [{ subject, mix: { reed: 1 } }, "did you mean 'read'"],
      [{ subject, faults: 1 }, 'runConsistency.faults'],
      [{ subject, process: 3 }, "did you mean 'processes'"],
    ] as const) {
      it(`refuse ${JSON.stringify({ ...options, subject: undefined })}`, async () => {
        const error = await runConsistency(options as unknown as ConsistencyOptions).catch(
          (reason: unknown) => reason,
        );
        expect(error).to.be.instanceOf(InvalidOptionError);
        expect((error as Error).message).to.include(named);
      });
    }

    it('refuse a mix that leaves nothing to check', async () => {
      const error = await runConsistency({
        subject: subjectUrl('broken-subjects'),
        mix: { key: 0 },
      }).catch((reason: unknown) => reason);
      expect((error as Error).message).to.include('one that invalidates');
    });
  });
});
