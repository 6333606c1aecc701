import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { hashSlot } from '#internal/backends/redis/hash-slot.js';
import { LeaseTurns, type LeaseTurn } from '#internal/backends/redis/lease-turns.js';
import { RedisConnection } from '#internal/backends/redis/redis-connection.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { TurnWatch } from '#internal/backends/redis/turn-watch.js';
import { CacheConnectionError, CacheTimeoutError } from '#internal/errors.js';

const TIMEOUT_MS = 250;
const LEASE_MS = 60_000;

type Behaviour = 'answering' | 'silent' | 'refusing' | 'gone';

/** A server, or a Cluster of two masters; what is asked of each is kept. */
class FakeRedis extends EventEmitter {
  readonly status = 'ready';
  readonly log: string[] = [];
  readonly behaviour: Record<string, Behaviour> = {};

  constructor(readonly isCluster: boolean) {
    super();
  }

  get slots(): string[][] | undefined {
    if (!this.isCluster) return undefined;
    return Array.from({ length: 16_384 }, (_, slot) => [slot < 8192 ? 'low:1' : 'high:2']);
  }

  nodes(): unknown[] {
    return [];
  }

  ping(): Promise<unknown> {
    return this.#answer('PING', 'one');
  }

  callBuffer(command: string, key: string): Promise<unknown> {
    if (command !== 'exists') return Promise.resolve('');
    return this.#answer('EXISTS', hashSlot(key) < 8192 ? 'low:1' : 'high:2');
  }

  #answer(command: string, place: string): Promise<unknown> {
    this.log.push(`${command} ${place}`);
    switch (this.behaviour[place]) {
      case 'silent':
        return new Promise(() => undefined);
      case 'refusing':
        return Promise.reject(Object.assign(new Error('NOPERM this user'), { name: 'ReplyError' }));
      case 'gone':
        return Promise.reject(new Error('Connection is closed.'));
      default:
        return Promise.resolve('PONG');
    }
  }
}

describe(TurnWatch.name, () => {
  let timers: SinonFakeTimers;
  let redis: FakeRedis;
  let turns: LeaseTurns;
  let watch: TurnWatch;
  let over: LeaseTurn[];

  const open = (isCluster: boolean): void => {
    redis = new FakeRedis(isCluster);
    const connection = new RedisConnection({
      place: 'redis.example:6379',
      commandTimeoutMs: TIMEOUT_MS,
      greetingTimeoutMs: 2000,
      provide: () => redis as unknown as RedisLike,
      ownsClient: false,
      onDegraded: () => undefined,
      onRecovered: () => undefined,
    });
    connection.open();
    turns = new LeaseTurns(() => 0);
    watch = new TurnWatch({ connection, turns, commandTimeoutMs: TIMEOUT_MS });
  };
  const waitFor = (name: string): LeaseTurn => {
    const turn = turns.add(name);
    turn.waitFor(LEASE_MS);
    void turn.whenOver.then(() => over.push(turn));
    watch.start();
    return turn;
  };

  beforeEach(() => {
    timers = useFakeTimers();
    over = [];
    open(false);
  });

  afterEach(() => {
    watch.close();
    turns.endAll();
    timers.restore();
  });

  it('asks nothing for a wait of less than half a timeout, nor when nobody waits any more', async () => {
    const turn = waitFor('a');
    await timers.tickAsync(TIMEOUT_MS / 2 - 1);
    turn.end();
    await timers.tickAsync(10 * TIMEOUT_MS);
    expect(redis.log).to.deep.equal([]);
    expect(timers.countTimers()).to.equal(0);
  });

  it('asks once for all who wait, twice in each timeout', async () => {
    for (let index = 0; index < 500; index++) waitFor(`key ${index % 20}`);
    await timers.tickAsync(4 * TIMEOUT_MS);
    expect(redis.log).to.deep.equal(Array.from({ length: 8 }, () => 'PING one'));
    expect(over).to.deep.equal([]);
  });

  it('ends all turns, with the reason, when no answer comes within the timeout', async () => {
    const waiting = [waitFor('a'), waitFor('a'), waitFor('b')];
    await timers.tickAsync(2 * TIMEOUT_MS);
    redis.behaviour['one'] = 'silent';
    // The next question is due half a timeout later at the most.
    await timers.tickAsync(1.5 * TIMEOUT_MS + 1);
    expect(over).to.have.members(waiting);
    for (const { failure } of waiting) expect(failure).to.be.instanceOf(CacheTimeoutError);
    expect(redis.log.filter((_, index) => index >= 4)).to.have.length(1);
  });

  it('ends all turns at once when the connection is gone', async () => {
    const turn = waitFor('a');
    redis.emit('close');
    await timers.tickAsync(TIMEOUT_MS / 2);
    expect(over).to.deep.equal([turn]);
    expect(turn.failure).to.be.instanceOf(CacheConnectionError);
  });

  it('takes a refusal for a sign of life', async () => {
    waitFor('a');
    redis.behaviour['one'] = 'refusing';
    await timers.tickAsync(4 * TIMEOUT_MS);
    expect(over).to.deep.equal([]);
  });

  for (const behaviour of ['silent', 'gone'] as const) {
    it(`leaves those alone who wait for a master that answers while another one is ${behaviour}`, async () => {
      open(true);
      const names = Array.from({ length: 8 }, (_, index) => `{${index}}:key`);
      const isLow = (name: string): boolean => hashSlot(name) < 8192;
      const waiting = names.map(waitFor);
      expect(new Set(names.map(isLow)).size).to.equal(2);
      await timers.tickAsync(TIMEOUT_MS / 2);
      expect(redis.log.toSorted()).to.deep.equal(['EXISTS high:2', 'EXISTS low:1']);
      redis.behaviour['low:1'] = behaviour;
      await timers.tickAsync(1.5 * TIMEOUT_MS + 1);
      expect(over).to.have.members(waiting.filter(({ name }) => isLow(name)));
      await timers.tickAsync(4 * TIMEOUT_MS);
      expect(turns.size).to.equal(names.filter((name) => !isLow(name)).length);
    });
  }
});
