import { expect } from 'chai';
import type { BusContext } from '#internal/cache/cache-bus.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { isCacheError } from '#internal/errors.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { type MemoryBus, MemoryBusHub } from '#internal/testing/memory-bus.js';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe(MemoryBusHub.name, () => {
  let hub: MemoryBusHub;
  let first: Listener;
  let second: Listener;

  /** A bus, and what it told its user. */
  class Listener {
    readonly bus: MemoryBus = hub.connect();
    readonly told: string[] = [];

    constructor(prefix?: string) {
      const context: BusContext = {
        clock: new ManualClock(),
        logger: silentLogger,
        prefix,
        report: () => undefined,
        receive: (message) => void this.told.push(message),
        subscribed: () => void this.told.push('(subscribed)'),
        interrupted: () => void this.told.push('(interrupted)'),
      };
      this.bus.attach(context);
    }

    /** What was told since the last time. */
    async news(): Promise<string[]> {
      await settle();
      return this.told.splice(0);
    }
  }

  beforeEach(async () => {
    hub = new MemoryBusHub();
    first = new Listener();
    second = new Listener();
    await Promise.all([first.news(), second.news()]);
  });

  const rejection = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      if (isCacheError(error)) return error.code;
      throw error;
    }
    return expect.fail('it was published');
  };

  it('tells when it is subscribed, not within attach', async () => {
    const late = new Listener();
    expect(late.told).to.deep.equal([]);
    expect(await late.news()).to.deep.equal(['(subscribed)']);
  });

  it('delivers to all, the sender included, in the order of sending, not within publish', async () => {
    await Promise.all([first.bus.publish('a'), second.bus.publish('b'), first.bus.publish('c')]);
    void first.bus.publish('d');
    expect(second.told).to.not.include('d');
    expect(await first.news()).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(await second.news()).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(hub.messages).to.deep.equal(['a', 'b', 'c', 'd']);
    hub.forgetMessages();
    expect(hub.messages).to.deep.equal([]);
  });

  it('keeps prefixes apart', async () => {
    const other = new Listener('other');
    await other.news();
    await first.bus.publish('a');
    await other.bus.publish('b');
    expect(await other.news()).to.deep.equal(['b']);
    expect(await second.news()).to.deep.equal(['a']);
  });

  it('belongs to one backend', () => {
    expect(() => first.bus.attach({} as BusContext)).to.throw('already belongs');
  });

  it('holds, and delivers, drops, doubles and moves what is held', async () => {
    second.bus.hold();
    for (const message of ['a', 'b', 'c', 'd']) await first.bus.publish(message);
    expect(await second.news()).to.deep.equal([]);
    expect(second.bus.held).to.deep.equal(['a', 'b', 'c', 'd']);
    second.bus.drop(1);
    second.bus.duplicate(2);
    second.bus.move(0, 1);
    expect(second.bus.held).to.deep.equal(['c', 'a', 'd', 'd']);
    second.bus.deliver(1);
    second.bus.deliver(9);
    expect(await second.news()).to.deep.equal(['a']);
    second.bus.release();
    expect(second.told).to.deep.equal(['c', 'd', 'd']);
    await first.bus.publish('e');
    expect(await second.news()).to.deep.equal(['c', 'd', 'd', 'e']);
    expect(await first.news()).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
  });

  it('loses the next messages of one listener', async () => {
    second.bus.dropNext(2);
    for (const message of ['a', 'b', 'c']) await first.bus.publish(message);
    expect(await second.news()).to.deep.equal(['c']);
    expect(await first.news()).to.deep.equal(['a', 'b', 'c']);
  });

  it('can refuse to send, and still listen', async () => {
    first.bus.refuse();
    expect(await rejection(first.bus.publish('a'))).to.equal('ERR_CACHE_CONNECTION');
    await second.bus.publish('b');
    expect(await first.news()).to.deep.equal(['b']);
    first.bus.heal();
    await first.bus.publish('c');
    expect(await first.news()).to.deep.equal(['c']);
  });

  it('can be cut, which it tells, and mended', async () => {
    first.bus.hold();
    await second.bus.publish('lost, though it had arrived');
    first.bus.cut();
    first.bus.cut();
    expect(first.bus.health().status).to.equal('unhealthy');
    expect(await rejection(first.bus.publish('a'))).to.equal('ERR_CACHE_CONNECTION');
    await second.bus.publish('lost');
    first.bus.heal();
    first.bus.release();
    expect(await first.news()).to.deep.equal(['(interrupted)', '(subscribed)']);
    await second.bus.publish('b');
    expect(await first.news()).to.deep.equal(['b']);
    expect(first.bus.health()).to.deep.equal({ status: 'healthy' });
  });

  it('can be cut before it is subscribed', async () => {
    const late = new Listener();
    late.bus.cut();
    expect(await late.news()).to.deep.equal([]);
    late.bus.heal();
    expect(await late.news()).to.deep.equal(['(subscribed)']);
  });

  it('can swallow everything without a word', async () => {
    first.bus.swallow();
    expect(await rejection(first.bus.publish('a'))).to.equal('ERR_CACHE_TIMEOUT');
    await second.bus.publish('lost');
    first.bus.heal();
    expect(await first.news()).to.deep.equal([]);
    await second.bus.publish('b');
    expect(await first.news()).to.deep.equal(['b']);
  });

  it('does not send what is due already', async () => {
    const dueAt = performance.now() - 1;
    expect(await rejection(first.bus.publish('a', { dueAt }))).to.equal('ERR_CACHE_TIMEOUT');
    expect(await second.news()).to.deep.equal([]);
  });

  it('is silent once it is closed', async () => {
    await first.bus.close(0);
    expect(first.bus.health().status).to.equal('unavailable');
    expect(await rejection(first.bus.publish('a'))).to.equal('ERR_CACHE_CLOSED');
    await second.bus.publish('b');
    first.bus.cut();
    first.bus.swallow();
    first.bus.heal();
    expect(await first.news()).to.deep.equal([]);
  });
});
