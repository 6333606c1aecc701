import { expect } from 'chai';
import {
  FlightTable,
  LoadScope,
  nextOrder,
  type FlightResult,
} from '#internal/cache/flight-table.js';

const RESULT: FlightResult = { value: 'value', outcome: 'stored', loadedAt: 1, confirmedAt: 2 };

describe('FlightTable', () => {
  it('shows a flight while it is under way, to what it runs, too', async () => {
    const flights = new FlightTable();
    let isSeen = false;
    const flight = flights.launch('a', async () => {
      isSeen = flights.get('a') !== undefined;
      return RESULT;
    });
    expect(isSeen).to.equal(true);
    expect(flights.get('a')).to.equal(flight);
    expect(await flight.promise).to.equal(RESULT);
    expect(flights.size).to.equal(0);
  });

  it('forgets a flight that fails', async () => {
    const flights = new FlightTable();
    const error = new RangeError('failed');
    const flight = flights.launch('a', () => Promise.reject(error));
    expect(await flight.promise.catch((reason: unknown) => reason)).to.equal(error);
    expect(flights.size).to.equal(0);
  });

  it('lets a detached flight go on, and does not take away the one that has its place', async () => {
    const flights = new FlightTable();
    let land!: (result: FlightResult) => void;
    const first = flights.launch('a', () => new Promise((resolve) => (land = resolve)));
    flights.detach('a');
    const second = flights.launch('a', () => new Promise(() => undefined));
    land(RESULT);
    expect(await first.promise).to.equal(RESULT);
    expect(flights.get('a')).to.equal(second);
    flights.detachAll();
    expect(flights.size).to.equal(0);
  });
});

describe('LoadScope', () => {
  it('waits for itself', () => {
    const scope = new LoadScope();
    expect(scope.waitsFor(scope)).to.equal(true);
  });

  it('waits for another one through others, as long as they wait', async () => {
    const [a, b, c] = [new LoadScope(), new LoadScope(), new LoadScope()];
    let finish!: () => void;
    const work = new Promise<void>((resolve) => (finish = resolve));
    const waiting = [a.await(work, b), b.await(work, c), c.await(work, b)];
    expect(a.waitsFor(c)).to.equal(true);
    expect(c.waitsFor(a)).to.equal(false);
    finish();
    await Promise.all(waiting);
    expect(a.waitsFor(c)).to.equal(false);
  });
});

describe('nextOrder', () => {
  it('grows', () => {
    expect(nextOrder()).to.be.below(nextOrder());
  });
});
