import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import {
  ChannelMovedError,
  RedisSubscription,
} from '#internal/backends/redis/redis-subscription.js';
import { FakeSubscribingRedis } from '../../../support/fake-subscribing-redis.js';

describe(RedisSubscription.name, () => {
  let timers: SinonFakeTimers;
  let redis: FakeSubscribingRedis;
  let log: string[];
  let endedBy: unknown;

  const subscribe = (command: 'subscribe' | 'ssubscribe' = 'subscribe'): RedisSubscription =>
    new RedisSubscription({
      client: redis.client,
      command,
      channel: 'news',
      onActive: () => void log.push('active'),
      onMessage: (text) => void log.push(text),
      onEnd: (error) => {
        endedBy = error;
        log.push('end');
      },
    });
  const activate = async (): Promise<void> => {
    redis.become('ready');
    await timers.tickAsync(0);
  };
  const expectGone = (): void => {
    expect(redis.log.at(-1)).to.equal('disconnect');
    expect(redis.eventNames()).to.deep.equal(['error']);
    expect(timers.countTimers()).to.equal(0);
  };

  beforeEach(() => {
    timers = useFakeTimers();
    redis = new FakeSubscribingRedis();
    log = [];
    endedBy = undefined;
  });

  afterEach(() => timers.restore());

  it('subscribes once its connection is ready', async () => {
    subscribe();
    expect(redis.log).to.deep.equal(['connect']);
    await activate();
    expect(redis.log).to.deep.equal(['connect', 'subscribe news']);
    redis.emit('message', 'news', 'one');
    redis.emit('message', 'other', 'foreign');
    expect(log).to.deep.equal(['active', 'one']);
  });

  it('is active before its first message, whichever comes first', async () => {
    subscribe();
    redis.become('ready');
    redis.emit('message', 'news', 'one');
    await timers.tickAsync(0);
    expect(log).to.deep.equal(['active', 'one']);
  });

  it('ends when nothing comes forward for about a second', async () => {
    redis.answer = 'hang';
    subscribe();
    for (const step of ['connect', 'ready'] as const) {
      await timers.tickAsync(700);
      redis.become(step);
    }
    await timers.tickAsync(700);
    expect(log).to.deep.equal([]);
    await timers.tickAsync(350);
    expect(log).to.deep.equal(['end']);
    expectGone();
  });

  it('ends about a second after its last sign of life', async () => {
    subscribe();
    await activate();
    await timers.tickAsync(10_000);
    expect(log).to.deep.equal(['active']);
    redis.isSilent = true;
    await timers.tickAsync(700);
    expect(log).to.deep.equal(['active']);
    await timers.tickAsync(550);
    expect(log).to.deep.equal(['active', 'end']);
    expect(endedBy).to.match(/no sign of life/);
    expectGone();
  });

  it('takes messages for a sign of life', async () => {
    redis.isSilent = true;
    subscribe();
    await activate();
    for (let count = 0; count < 20; count++) {
      await timers.tickAsync(500);
      redis.emit('message', 'news', 'x');
    }
    expect(log).to.not.include('end');
  });

  it('does not take a pause of its own process for silence', async () => {
    subscribe();
    await activate();
    redis.isSilent = true;
    await timers.tickAsync(300);
    // One late tick, however long the pause was.
    timers.setSystemTime(Date.now() + 60_000);
    await timers.tickAsync(250);
    expect(log).to.deep.equal(['active']);
  });

  it('tells when the socket ends, and why', async () => {
    subscribe();
    const error = new Error('ECONNREFUSED');
    redis.become('end', error);
    expect(endedBy).to.equal(error);
    redis.emit('end');
    expect(log).to.deep.equal(['end']);
    expectGone();
  });

  it('ends when the server takes the subscription back', async () => {
    subscribe('ssubscribe');
    await activate();
    redis.emit('smessage', 'news', 'one');
    redis.emit('error', new Error('Command queue state error.'));
    expect(log).to.deep.equal(['active', 'one', 'end']);
    expectGone();
  });

  for (const [how, move] of Object.entries({
    'an error': (): void => {
      redis.answer = new Error('MOVED 42 127.0.0.1:7001');
      redis.become('ready');
    },
    'an event': (): void => {
      redis.answer = 'hang';
      redis.become('ready');
      redis.emit('moved');
    },
  })) {
    it(`tells that another node serves the channel, when the client tells by ${how}`, async () => {
      subscribe('ssubscribe');
      move();
      await timers.tickAsync(0);
      expect(endedBy).to.be.instanceOf(ChannelMovedError);
      expectGone();
    });
  }

  it('tells nothing once it is closed', async () => {
    const subscription = subscribe();
    await activate();
    subscription.close();
    subscription.end('late');
    redis.emit('message', 'news', 'late');
    redis.emit('error', new Error('late'));
    await timers.tickAsync(10_000);
    expect(log).to.deep.equal(['active']);
    expectGone();
  });
});
