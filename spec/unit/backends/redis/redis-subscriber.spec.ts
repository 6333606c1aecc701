import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { RedisSubscriber } from '#internal/backends/redis/redis-subscriber.js';
import { CacheConfigurationError, MissingPeerError } from '#internal/errors.js';
import { FakeOrigin, type SubscribeAnswer } from '../../../support/fake-subscribing-redis.js';

const UNKNOWN = Object.assign(new Error("ERR unknown command 'ssubscribe'"), {
  name: 'ReplyError',
});
const MOVED = new Error('MOVED 42 127.0.0.1:7001');

describe(RedisSubscriber.name, () => {
  let timers: SinonFakeTimers;
  let log: string[];
  let origin: FakeOrigin;

  const subscriberOf = (provide: () => RedisLike | Promise<RedisLike>): RedisSubscriber =>
    new RedisSubscriber({
      place: 'redis.example:6379',
      channel: 'news',
      prefersSharded: true,
      provide,
      onMessage: (text) => void log.push(text),
      onSubscribed: () => void log.push('+'),
      onInterrupted: ({ message }) => void log.push(`- ${message}`),
    });
  const opened = (
    answer: (master: number, index: number) => SubscribeAnswer = () => 'accept',
    masters = 0,
  ): RedisSubscriber => {
    origin = new FakeOrigin(answer, masters);
    const subscriber = subscriberOf(() => origin.client);
    subscriber.open();
    return subscriber;
  };
  /** Lets the latest connection come up. */
  const ready = async (): Promise<void> => {
    origin.latest.become('ready');
    await timers.tickAsync(0);
  };

  beforeEach(() => {
    timers = useFakeTimers();
    log = [];
  });

  afterEach(() => timers.restore());

  it('makes one connection, at the first need of it', async () => {
    const subscriber = opened();
    subscriber.open();
    expect(origin.made).to.have.length(1);
    expect(subscriber.isActive).to.equal(false);
    await ready();
    expect(subscriber.isActive).to.equal(true);
    origin.latest.emit('message', 'news', 'one');
    expect(log).to.deep.equal(['+', 'one']);
    expect(origin.latest.log).to.include('subscribe news');
  });

  it('tells of each interruption once, and subscribes again', async () => {
    const subscriber = opened();
    await ready();
    origin.latest.become('end', new Error('ECONNRESET'));
    expect(subscriber.isActive).to.equal(false);
    for (let attempt = 0; attempt < 5; attempt++) {
      await timers.tickAsync(500);
      origin.latest.become('end', new Error('ECONNREFUSED'));
    }
    expect(log).to.deep.equal([
      '+',
      '- Redis at redis.example:6379 cannot be reached for subscribing: ECONNRESET',
    ]);
    await timers.tickAsync(500);
    await ready();
    origin.latest.emit('message', 'news', 'two');
    expect(log.slice(2)).to.deep.equal(['+', 'two']);
    expect(subscriber.activations).to.equal(2);
    expect(origin.made).to.have.length(7);
  });

  it('tries at least every half second', async () => {
    opened(() => 'hang');
    for (let attempt = 1; attempt <= 20; attempt++) {
      expect(origin.made).to.have.length(attempt);
      origin.latest.become('end', new Error('ECONNREFUSED'));
      await timers.tickAsync(500);
    }
  });

  it('hears nothing of a connection that it gave up', async () => {
    const subscriber = opened();
    await ready();
    const old = origin.latest;
    subscriber.renew('for a reason');
    await timers.tickAsync(500);
    await ready();
    old.emit('message', 'news', 'from before');
    old.emit('error', new Error('late'));
    expect(log).to.have.length(3);
    expect(log[1]).to.contain('for a reason');
  });

  describe('#settled', () => {
    const settling = (subscriber: RedisSubscriber, withinMs = 100): { isOver: boolean } => {
      const state = { isOver: false };
      void subscriber.settled(withinMs)?.then(() => (state.isOver = true));
      return state;
    };

    it('opens, and waits until the subscription is active', async () => {
      origin = new FakeOrigin(() => 'accept');
      const subscriber = subscriberOf(() => origin.client);
      const state = settling(subscriber);
      await timers.tickAsync(50);
      expect(state.isOver).to.equal(false);
      await ready();
      expect(state.isOver).to.equal(true);
      expect(subscriber.settled(100)).to.equal(undefined);
    });

    it('waits no longer than it was told', async () => {
      const state = settling(opened());
      await timers.tickAsync(100);
      expect(state.isOver).to.equal(true);
    });

    it('waits for no further attempt when the first one failed', async () => {
      const subscriber = opened(() => new Error('NOPERM no access'));
      const state = settling(subscriber);
      await ready();
      expect(state.isOver).to.equal(true);
      await timers.tickAsync(500);
      expect(subscriber.settled(100)).to.equal(undefined);
    });

    it('waits for the first attempt after an interruption', async () => {
      const subscriber = opened();
      await ready();
      origin.latest.become('end');
      const state = settling(subscriber, 1000);
      await timers.tickAsync(500);
      expect(state.isOver).to.equal(false);
      await ready();
      expect(state.isOver).to.equal(true);
    });
  });

  describe('on a Cluster', () => {
    it('asks one master after the other, at once, until one serves the channel', async () => {
      opened((master) => (master === 2 ? 'accept' : MOVED), 3);
      for (let master = 0; master < 3; master++) await ready();
      expect(origin.asked).to.deep.equal([0, 1, 2]);
      expect(log).to.deep.equal(['+']);
      expect(origin.latest.log).to.include('ssubscribe news');
    });

    it('pauses when no master does', async () => {
      opened(() => MOVED, 3);
      for (let master = 0; master < 3; master++) await ready();
      expect(origin.asked).to.deep.equal([0, 1, 2]);
      expect(log).to.have.length(1);
      await timers.tickAsync(500);
      expect(origin.asked).to.have.length(4);
    });

    it('goes without shards where the server has none, for good', async () => {
      opened((_, index) => (index === 0 ? UNKNOWN : 'accept'), 3);
      await ready();
      await ready();
      expect(log).to.deep.equal(['+']);
      expect(origin.latest.log).to.include('subscribe news');
      origin.latest.become('end');
      await timers.tickAsync(500);
      await ready();
      expect(origin.latest.log).to.include('subscribe news');
    });

    it('makes the client look for the master of the channel after each failure', async () => {
      opened(() => 'accept', 3);
      await ready();
      expect(origin.sent).to.deep.equal([]);
      origin.latest.become('end');
      expect(origin.sent).to.deep.equal(['exists news']);
      await timers.tickAsync(500);
      origin.latest.become('end');
      expect(origin.sent).to.deep.equal(['exists news', 'exists news']);
    });

    it('waits for a Cluster whose masters are not known yet', async () => {
      origin = new FakeOrigin(() => 'accept');
      let masters = 0;
      const cluster = {
        isCluster: true,
        nodes: () => origin.nodes().slice(0, masters),
        callBuffer: () => Promise.resolve(0),
      };
      origin = new FakeOrigin(() => 'accept', 1);
      subscriberOf(() => cluster as unknown as RedisLike).open();
      expect(log[0]).to.contain('No master');
      masters = 1;
      await timers.tickAsync(500);
      await ready();
      expect(log.at(-1)).to.equal('+');
    });
  });

  it('says what is wrong with a client that cannot be duplicated', () => {
    const errors: unknown[] = [];
    const subscriber = new RedisSubscriber({
      place: 'redis.example:6379',
      channel: 'news',
      prefersSharded: false,
      provide: () => ({ callBuffer: () => undefined }) as unknown as RedisLike,
      onMessage: () => undefined,
      onSubscribed: () => undefined,
      onInterrupted: (error) => void errors.push(error),
    });
    subscriber.open();
    expect(errors).to.have.length(1);
    expect(errors[0]).to.be.instanceOf(CacheConfigurationError);
    subscriber.close();
    expect(timers.countTimers()).to.equal(0);
  });

  it('passes on that there is no client', async () => {
    const subscriber = subscriberOf(() =>
      Promise.reject(new MissingPeerError('RedisBackend', 'ioredis', '^5')),
    );
    subscriber.open();
    await timers.tickAsync(0);
    expect(log[0]).to.contain('ioredis');
    subscriber.close();
  });

  it('leaves nothing behind when it is closed, in whatever state', async () => {
    const idle = subscriberOf(() => expect.fail('nobody asked for it'));
    idle.close();
    idle.open();
    const connecting = opened();
    const waiting = connecting.settled(1000);
    connecting.close();
    await waiting;
    const active = opened();
    await ready();
    active.close();
    expect(origin.latest.log.at(-1)).to.equal('disconnect');
    const down = opened();
    origin.latest.become('end');
    down.close();
    await timers.tickAsync(10_000);
    expect(origin.made).to.have.length(1);
    let give: (client: RedisLike) => void = () => undefined;
    const early = subscriberOf(() => new Promise((resolve) => (give = resolve)));
    early.open();
    early.close();
    give(new FakeOrigin(() => expect.fail('nobody listens')).client);
    await timers.tickAsync(10_000);
    expect(timers.countTimers()).to.equal(0);
    expect(log.filter((told) => told === '+')).to.have.length(1);
  });
});
