import { expect } from 'chai';
import {
  renderConsistencyReport,
  type ConsistencyReport,
} from '#internal/testing/consistency/consistency-report.js';

/** Of any run: nothing was broken, by any kind of invalidation. A run in which nothing was hit would prove nothing. */
export function expectHeld(report: ConsistencyReport): void {
  expect(report.violations, renderConsistencyReport(report)).to.equal(0);
  expect(report.invalidations).to.have.all.keys(
    ...['key', 'keys', 'pattern', 'tags', 'allTags', 'clear', 'expire', 'put'],
  );
  expect(report.hits).to.be.greaterThan(report.reads / 10);
}

/**
 * Of a run that nothing disturbs: everything got through. Nor would one prove anything in which nothing met.
 *
 * @param readsToRace - of so many reads at least one races with an invalidation
 */
export function expectHeldUndisturbed(
  report: ConsistencyReport,
  invalidations: number,
  readsToRace: number,
): void {
  expectHeld(report);
  expect(report.acknowledged).to.be.at.least(invalidations);
  expect(report.failures.count, report.failures.reasons.join()).to.equal(0);
  expect(report.races).to.be.greaterThan(report.reads / readsToRace);
}
