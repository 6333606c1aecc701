import { expect } from 'chai';
import { NotedClock } from '#internal/backends/tiered/noted-clock.js';

describe(NotedClock.name, () => {
  let readings: number;
  let clock: NotedClock;

  beforeEach(() => {
    readings = 0;
    clock = new NotedClock({ now: () => ++readings });
  });

  it('gives the reading of the step again, and reads once for it', () => {
    clock.start();
    expect(clock.now()).to.equal(1);
    expect(clock.latest()).to.equal(1);
    expect(clock.latest()).to.equal(1);
  });

  it('reads when the step has not', () => {
    clock.now();
    clock.start();
    expect(clock.latest()).to.equal(2);
  });

  it('gives the last of several readings', () => {
    clock.start();
    clock.now();
    clock.now();
    expect(clock.latest()).to.equal(2);
  });
});
