import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { allMasters } from '#internal/backends/redis/cluster-masters.js';
import { GuardedCluster } from '#internal/backends/redis/guarded-cluster.js';
import { hashSlot } from '#internal/backends/redis/hash-slot.js';
import { RedisConnection } from '#internal/backends/redis/redis-connection.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { CacheConnectionError, CacheTimeoutError } from '#internal/errors.js';

const TIMEOUT_MS = 250;
const SLOTS = 16_384;
const MASTERS = ['a:1', 'b:2', 'c:3'] as const;
type MasterName = (typeof MASTERS)[number];

/** How a master of the fake answers. */
type Behaviour = 'answering' | 'silent' | 'gone' | 'down' | 'refusing';

/** A Cluster client of three masters with a third of the slots each. */
class FakeCluster extends EventEmitter {
  readonly isCluster = true;
  readonly status = 'ready';
  readonly slots: string[][] = [];
  readonly log: string[] = [];
  readonly behaviour: Record<string, Behaviour> = {};
  readonly cut: string[] = [];
  readonly #unanswered: (() => void)[] = [];

  constructor() {
    super();
    for (const [index, name] of MASTERS.entries()) {
      this.own(name, Math.ceil((SLOTS * index) / 3), Math.ceil((SLOTS * (index + 1)) / 3));
    }
  }

  own(name: string, from: number, to: number): void {
    const owners = [name, 'replica:9'];
    for (let slot = from; slot < to; slot++) this.slots[slot] = owners;
  }

  nodes(): unknown[] {
    return MASTERS.map((name) => ({
      options: { host: name[0], port: Number(name[2]) },
      callBuffer: () => Promise.resolve(''),
      disconnect: () => void this.cut.push(name),
    }));
  }

  ping(): Promise<string> {
    return Promise.resolve('PONG');
  }

  callBuffer(command: string, key: string): Promise<unknown> {
    const name = this.slots[hashSlot(key)]![0]!;
    this.log.push(`${command} ${name}`);
    switch (this.behaviour[name]) {
      case 'silent':
        return new Promise((resolve) => this.#unanswered.push(() => resolve('late')));
      case 'gone':
        return Promise.reject(new Error('Connection is closed.'));
      case 'down':
        return Promise.reject(replyError('CLUSTERDOWN Hash slot not served'));
      case 'refusing':
        return Promise.reject(replyError('NOPERM this user has no permissions'));
      default:
        return Promise.resolve('reply');
    }
  }

  /** What was swallowed is answered now. */
  answer(): void {
    for (const answer of this.#unanswered.splice(0)) answer();
  }

  quit(): Promise<string> {
    return Promise.resolve('OK');
  }

  disconnect(): void {
    this.log.push('disconnect');
  }
}

function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

/** A key of a master's slots. */
function keyOf(cluster: FakeCluster, name: string): string {
  for (let index = 0; ; index++) {
    if (cluster.slots[hashSlot(`k${index}`)]![0] === name) return `k${index}`;
  }
}

describe(GuardedCluster.name, () => {
  let timers: SinonFakeTimers;
  let cluster: FakeCluster;
  let connection: RedisConnection;
  let events: string[];

  beforeEach(() => {
    timers = useFakeTimers();
    cluster = new FakeCluster();
    events = [];
    connection = connect(true);
  });

  afterEach(() => {
    void connection.close(0);
    timers.restore();
  });

  const connect = (ownsClient: boolean): RedisConnection =>
    new RedisConnection({
      place: 'the Cluster',
      commandTimeoutMs: TIMEOUT_MS,
      greetingTimeoutMs: 2000,
      provide: () => cluster as unknown as RedisLike,
      ownsClient,
      onDegraded: () => void events.push('degraded'),
      onRecovered: () => void events.push('recovered'),
    });
  /** What a call answers or fails with, once the time it may take is over. */
  const call = async (...names: readonly MasterName[]): Promise<unknown> => {
    const calling = connection
      .call(
        'get',
        (client) =>
          Promise.all(names.map((name) => client.callBuffer('get', keyOf(cluster, name)))),
        (replies) => replies.join(),
      )
      .catch((error: unknown) => error);
    await timers.tickAsync(0);
    const settled = await Promise.race([calling, Promise.resolve('still open')]);
    if (settled !== 'still open') return settled;
    await timers.tickAsync(TIMEOUT_MS + 10);
    return calling;
  };
  const sentTo = (name: string): number =>
    cluster.log.filter((line) => line === `get ${name}`).length;

  it('refuses the commands of a master that is silent twice, and no others', async () => {
    cluster.behaviour['a:1'] = 'silent';
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(await call('a:1')).to.be.instanceOf(CacheTimeoutError);
      expect(await call('b:2')).to.equal('reply');
    }
    for (let attempt = 0; attempt < 10; attempt++) {
      const error = await call('a:1');
      expect(error).to.be.instanceOf(CacheConnectionError);
      expect((error as Error).message).to.include('a:1');
      expect(await call('b:2')).to.equal('reply');
      expect(await call('c:3')).to.equal('reply');
    }
    expect(sentTo('a:1')).to.equal(2);
    expect(events).to.deep.equal(['degraded']);
    expect(connection.isAvailable).to.equal(true);
    expect(connection.health()).to.deep.equal({
      status: 'degraded',
      breaker: 'half-open',
      errorCode: 'ERR_CACHE_CONNECTION',
    });
  });

  it('counts for each master the calls that waited for it', async () => {
    cluster.behaviour['a:1'] = 'silent';
    expect(await call('a:1', 'b:2')).to.be.instanceOf(CacheTimeoutError);
    cluster.behaviour['a:1'] = 'answering';
    cluster.behaviour['b:2'] = 'silent';
    expect(await call('b:2', 'c:3')).to.be.instanceOf(CacheTimeoutError);
    expect(await call('a:1', 'c:3')).to.equal('reply,reply');
    expect(events).to.deep.equal([]);
  });

  it('begins anew to count when a master answers', async () => {
    for (let round = 0; round < 5; round++) {
      cluster.behaviour['a:1'] = 'silent';
      expect(await call('a:1')).to.be.instanceOf(CacheTimeoutError);
      cluster.behaviour['a:1'] = round % 2 === 0 ? 'answering' : 'refusing';
      await call('a:1');
    }
    expect(events).to.deep.equal([]);
  });

  it('takes two masters that are silent, and none that answers, for the whole', async () => {
    for (const name of MASTERS) cluster.behaviour[name] = 'silent';
    expect(await call('a:1')).to.be.instanceOf(CacheTimeoutError);
    expect(await call('b:2')).to.be.instanceOf(CacheTimeoutError);
    expect(connection.isAvailable).to.equal(false);
    expect(await call('c:3')).to.be.instanceOf(CacheConnectionError);
    expect(sentTo('c:3')).to.equal(0);
  });

  for (const behaviour of ['gone', 'down'] as const) {
    it(`refuses at once when a master is ${behaviour}`, async () => {
      cluster.behaviour['a:1'] = behaviour;
      await call('a:1');
      for (let attempt = 0; attempt < 10; attempt++) await call('a:1');
      expect(sentTo('a:1')).to.equal(1);
      expect(events).to.deep.equal(['degraded']);
    });

    it(`asks twice a second, and goes on with a master that was ${behaviour}`, async () => {
      cluster.behaviour['a:1'] = behaviour;
      await call('a:1');
      await timers.tickAsync(5000);
      const probes = cluster.log.filter((line) => line.startsWith('exists')).length;
      expect(probes).to.be.within(9, 10);
      expect(events).to.deep.equal(['degraded']);
      cluster.behaviour['a:1'] = 'answering';
      await timers.tickAsync(500);
      expect(events).to.deep.equal(['degraded', 'recovered']);
      expect(await call('a:1')).to.equal('reply');
      expect(connection.health()).to.deep.equal({ status: 'healthy', breaker: 'closed' });
      await timers.tickAsync(5000);
      expect(cluster.log.filter((line) => line.startsWith('exists')).length).to.equal(probes + 1);
    });
  }

  it('recovers when all masters answer, not when one does', async () => {
    cluster.behaviour['a:1'] = 'gone';
    cluster.behaviour['b:2'] = 'gone';
    await call('a:1');
    await call('b:2');
    cluster.behaviour['a:1'] = 'answering';
    await timers.tickAsync(500);
    expect(events).to.deep.equal(['degraded']);
    expect(await call('a:1')).to.equal('reply');
    cluster.behaviour['b:2'] = 'answering';
    await timers.tickAsync(500);
    expect(events).to.deep.equal(['degraded', 'recovered']);
  });

  it('goes on when what was swallowed is answered after all', async () => {
    cluster.behaviour['a:1'] = 'silent';
    await call('a:1');
    await call('a:1');
    cluster.behaviour['a:1'] = 'answering';
    cluster.answer();
    await timers.tickAsync(0);
    expect(await call('a:1')).to.equal('reply');
    expect(events).to.deep.equal(['degraded', 'recovered']);
  });

  it('asks who took over as soon as the client knows of it', async () => {
    cluster.behaviour['a:1'] = 'gone';
    const key = keyOf(cluster, 'a:1');
    await call('a:1');
    cluster.own('replica:9', 0, Math.ceil(SLOTS / 3));
    const reading = connection.call(
      'get',
      (client) => client.callBuffer('get', key),
      (reply) => reply,
    );
    expect(await reading).to.equal('reply');
    await timers.tickAsync(500);
    expect(events).to.deep.equal(['degraded', 'recovered']);
  });

  for (const ownsClient of [true, false]) {
    it(`${ownsClient ? 'cuts' : 'leaves'} a connection without an answer, of ${ownsClient ? 'its own' : "the user's"} client`, async () => {
      connection = connect(ownsClient);
      cluster.behaviour['a:1'] = 'silent';
      await call('a:1');
      await call('a:1');
      await timers.tickAsync(4000);
      expect(cluster.cut).to.deep.equal(ownsClient ? ['a:1'] : []);
      cluster.behaviour['a:1'] = 'answering';
      await timers.tickAsync(4000);
      expect(events).to.deep.equal(['degraded', 'recovered']);
    });
  }

  it('leaves no timer behind', async () => {
    cluster.behaviour['a:1'] = 'gone';
    await call('a:1');
    await connection.close(0);
    expect(timers.countTimers()).to.equal(0);
  });
});

describe(allMasters.name, () => {
  it('gives them in the order of their names', () => {
    const client = new FakeCluster();
    client.nodes = () => MASTERS.toReversed().map((name) => nodeOf(name));
    const names = allMasters(client as unknown as RedisLike).map(({ options }) => options?.host);
    expect(names).to.deep.equal(['a', 'b', 'c']);
  });

  it('refuses to go without one that serves slots', () => {
    const client = new FakeCluster();
    client.nodes = () => MASTERS.slice(1).map((name) => nodeOf(name));
    expect(() => allMasters(client as unknown as RedisLike))
      .to.throw(CacheConnectionError)
      .with.property('message')
      .that.includes('a:1');
    client.own('b:2', 0, SLOTS);
    expect(allMasters(client as unknown as RedisLike)).to.have.length(2);
  });

  function nodeOf(name: string): unknown {
    return { options: { host: name[0], port: Number(name[2]) } };
  }
});

describe(hashSlot.name, () => {
  for (const [key, slot] of [
    ['123456789', 12_739],
    ['foo', 12_182],
    ['', 0],
    ['{user1000}.following', hashSlot('user1000')],
    ['foo{{bar}}zap', hashSlot('{bar')],
    ['foo{bar}{zap}', hashSlot('bar')],
  ] as const) {
    it(`places ${JSON.stringify(key)}`, () => expect(hashSlot(key)).to.equal(slot));
  }

  it('reads no empty braces', () => {
    expect(hashSlot('foo{}{bar}')).to.not.equal(hashSlot('bar'));
  });
});
