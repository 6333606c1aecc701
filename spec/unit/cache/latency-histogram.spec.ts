import { expect } from 'chai';
import { LatencyHistogram } from '#internal/cache/latency-histogram.js';

describe('LatencyHistogram', () => {
  it('is all 0, when nothing was recorded', () => {
    expect(new LatencyHistogram().summary()).to.deep.equal({
      count: 0,
      meanMs: 0,
      p50Ms: 0,
      p95Ms: 0,
      p99Ms: 0,
      maxMs: 0,
    });
  });

  it('is off by an eighth at the most', () => {
    const histogram = new LatencyHistogram();
    for (let duration = 1; duration <= 1000; duration++) histogram.record(duration);
    const { count, meanMs, p50Ms, p95Ms, p99Ms, maxMs } = histogram.summary();
    expect({ count, meanMs, maxMs }).to.deep.equal({ count: 1000, meanMs: 500.5, maxMs: 1000 });
    expect(p50Ms).to.be.within(500, 500 * 1.125);
    expect(p95Ms).to.be.within(950, 1000);
    expect(p99Ms).to.be.within(990, 1000);
  });

  it('takes durations of any size', () => {
    const histogram = new LatencyHistogram();
    for (const duration of [0, 1e-9, 0.001, 1e12]) histogram.record(duration);
    const summary = histogram.summary();
    expect(summary.count).to.equal(4);
    expect(summary.maxMs).to.equal(1e12);
    expect(summary.p50Ms).to.be.below(0.01);
  });

  it('never gives a percentile above the maximum', () => {
    const histogram = new LatencyHistogram();
    histogram.record(5);
    const { p50Ms, p99Ms } = histogram.summary();
    expect([p50Ms, p99Ms]).to.deep.equal([5, 5]);
  });

  it('adds another one, and forgets all', () => {
    const [one, two] = [new LatencyHistogram(), new LatencyHistogram()];
    one.record(1);
    two.record(3);
    one.add(two);
    expect(one.summary()).to.include({ count: 2, meanMs: 2, maxMs: 3 });
    one.reset();
    expect(one.summary()).to.include({ count: 0, maxMs: 0 });
    expect(two.summary()).to.include({ count: 1 });
  });

  it('gives frozen pictures', () => {
    expect(Object.isFrozen(new LatencyHistogram().summary())).to.equal(true);
  });
});
