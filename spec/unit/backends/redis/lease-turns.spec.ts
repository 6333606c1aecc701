import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { LeaseTurns, type LeaseTurn } from '#internal/backends/redis/lease-turns.js';

/** The most that a waiter looks after the lease's end. */
const LATEST_MS = 60;

describe(LeaseTurns.name, () => {
  let timers: SinonFakeTimers;
  let turns: LeaseTurns;
  let over: string[];

  const add = (name: string): LeaseTurn => {
    const turn = turns.add(name);
    void turn.whenOver.then(() => over.push(name));
    return turn;
  };
  const tell = (...pairs: readonly unknown[]): void => turns.receive(JSON.stringify(pairs));
  const settle = (): Promise<number> => timers.tickAsync(0);

  beforeEach(() => {
    timers = useFakeTimers();
    turns = new LeaseTurns(() => 1);
    over = [];
  });

  afterEach(() => timers.restore());

  it('wake all who wait for a key, and nobody else', async () => {
    for (const name of ['a', 'a', 'b']) add(name).waitFor(2000);
    tell(0, 'a', 0, 'unknown');
    await settle();
    expect(over).to.deep.equal(['a', 'a']);
    expect(turns.size).to.equal(1);
    expect(timers.countTimers()).to.equal(1);
  });

  it('know whether the result was for nobody else, and only from the message that ends them', async () => {
    const told = add('a');
    const untold = add('b');
    for (const turn of [told, untold]) turn.waitFor(2000);
    expect(told.isUnshared).to.equal(false);
    tell(-1, 'a', 0, 'b');
    tell(0, 'a', -1, 'b');
    await settle();
    expect(over).to.deep.equal(['a', 'b']);
    expect([told.isUnshared, untold.isUnshared]).to.deep.equal([true, false]);
  });

  it('keep a message that comes before the answer that tells to wait', async () => {
    const turn = add('a');
    tell(0, 'a');
    turn.waitFor(2000);
    await settle();
    expect(over).to.deep.equal(['a']);
    expect(timers.countTimers()).to.equal(0);
  });

  it('look for themselves a little after the lease has ended, each a little later than another', async () => {
    const random = [0, 1];
    turns = new LeaseTurns(() => random.shift()!);
    add('early').waitFor(2000);
    add('late').waitFor(2000);
    await timers.tickAsync(2004);
    expect(over).to.deep.equal([]);
    await timers.tickAsync(1);
    expect(over).to.deep.equal(['early']);
    await timers.tickAsync(LATEST_MS - 5);
    expect(over).to.deep.equal(['early', 'late']);
  });

  it('wait longer when the lease was renewed, with one timer', async () => {
    add('a').waitFor(2000);
    for (let renewal = 0; renewal < 10; renewal++) {
      await timers.tickAsync(700);
      tell(2000, 'a');
      expect(timers.countTimers()).to.equal(1);
    }
    expect(over).to.deep.equal([]);
    await timers.tickAsync(2000 + LATEST_MS - 1);
    expect(over).to.deep.equal([]);
    await timers.tickAsync(1);
    expect(over).to.deep.equal(['a']);
  });

  it('never wait shorter for a message, nor longer than a lease can be', async () => {
    add('a').waitFor(2000);
    tell(1, 'a');
    await timers.tickAsync(1000);
    expect(over).to.deep.equal([]);
    tell(1e15, 'a');
    await timers.tickAsync(60_000 + LATEST_MS);
    expect(over).to.deep.equal(['a']);
  });

  it('stay pending once cancelled', async () => {
    const turn = add('a');
    turn.waitFor(2000);
    turn.cancel();
    tell(0, 'a');
    turns.endAll();
    turn.waitFor(10);
    await timers.tickAsync(5000);
    expect(over).to.deep.equal([]);
    expect(turns.size).to.equal(0);
    expect(timers.countTimers()).to.equal(0);
  });

  it('all end when messages may have been missed', async () => {
    for (const name of ['a', 'a', 'b']) add(name).waitFor(2000);
    turns.endAll();
    await settle();
    expect(over).to.have.length(3);
    expect(turns.size).to.equal(0);
    expect(timers.countTimers()).to.equal(0);
  });

  it('ignore what is no message of the scripts', async () => {
    add('a').waitFor(2000);
    for (const text of [
      '',
      'over a',
      '{}',
      'null',
      '[0]',
      '["0","a"]',
      '[0,["a"]]',
      '[null,"a"]',
    ]) {
      turns.receive(text);
    }
    await settle();
    expect(over).to.deep.equal([]);
  });
});
