import { expect } from 'chai';
import type { Redis } from 'ioredis';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { BackendStore, FillStart, LoadTurn, TurnHints } from '#internal/cache/backend.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import type { RedisBackendOptions } from '#internal/backends/redis/redis-options.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import { CacheConnectionError, CacheTimeoutError } from '#internal/errors.js';
import { GatedSource } from '../../support/gated-source.js';
import { eventually } from '../../support/eventually.js';
import {
  attachedBackend,
  closeAll,
  valueOf,
  writeOf,
  type AttachedBackend,
} from '../../support/redis-backend-fixture.js';
import { RedisRemote } from '../../support/redis-remote.js';
import { RedisServer } from '../../support/redis-server.js';
import { TcpValve } from '../../support/tcp-valve.js';

async function turn(
  { store }: AttachedBackend,
  key = 'k',
  hints?: TurnHints,
): Promise<FillStart | LoadTurn> {
  return (await store.beginTurns!([key], hints))[0]!;
}

async function granted(backend: AttachedBackend, key = 'k', hints?: TurnHints): Promise<FillStart> {
  const answer = await turn(backend, key, hints);
  if ('token' in answer) return answer;
  return expect.fail(`The lease of '${key}' was expected to be free.`);
}

async function held(backend: AttachedBackend, key = 'k', hints?: TurnHints): Promise<LoadTurn> {
  const answer = await turn(backend, key, hints);
  if ('whenOver' in answer) return answer;
  return expect.fail(`The lease of '${key}' was expected to be held.`);
}

/**
 * The lease of a holder that renews it no more. A waiter may be woken before the end, when a busy machine makes its
 * subscription look silent; it finds the lease taken then, and waits on.
 */
async function inherited(backend: AttachedBackend, key = 'k'): Promise<FillStart> {
  for (;;) {
    const answer = await turn(backend, key);
    if ('token' in answer) return answer;
    await answer.whenOver;
  }
}

async function fill(store: BackendStore, { token }: FillStart, value: unknown): Promise<unknown> {
  return (await store.store([writeOf(token.key, value, { kind: 'fill', token })]))[0];
}

/** Whether a turn is over by now; asked after the store has answered something later. */
function watched(waiting: LoadTurn): { isOver: boolean } {
  const state = { isOver: false };
  void waiting.whenOver.then(() => (state.isOver = true));
  return state;
}

/** How often a process that waits asks whether Redis is alive, in the spec of what that costs. */
const SIGN_OF_LIFE_MS = 250;
/** A dead holder's lease is taken over so long after its end, at the most. */
const TAKE_OVER_MS = 200;
/** What a busy machine may add to that. */
const SLACK_MS = 50;

describe('leases in Redis', () => {
  let server: RedisServer;
  let client: Redis;
  let number = 0;
  let prefix: string;
  let made: AttachedBackend[];
  let remotes: RedisRemote[];

  before(async () => {
    server = await RedisServer.start();
    client = server.client();
  });

  after(async () => {
    client.disconnect();
    await server.stop();
  });

  beforeEach(() => {
    prefix = `leases${++number}`;
    made = [];
    remotes = [];
  });

  afterEach(async () => {
    await closeAll(made.map(({ backend }) => backend));
    await Promise.all(remotes.map((remote) => remote.kill()));
  });

  /** A backend as another process would have it. A minute's lease is not renewed while a spec runs. */
  const node = (options: RedisBackendOptions = {}): AttachedBackend => {
    const place = options.port === undefined ? { url: server.url } : {};
    const attached = attachedBackend({
      ...place,
      prefix,
      commandTimeout: '5s',
      lease: '1m',
      ...options,
    });
    made.push(attached);
    return attached;
  };
  const remote = (options: RedisBackendOptions): RedisRemote => {
    const child = new RedisRemote(server.url, { prefix, ...options });
    remotes.push(child);
    return child;
  };
  const leaseName = (key = 'k'): string => `${prefix}:1:users:${key}%~turn`;
  const leaseOf = async (key = 'k'): Promise<{ grant: string; end: number; waiting: string }> => {
    const [grant, end, ...waiting] = ((await client.get(leaseName(key))) ?? '').split(' ');
    return { grant: grant!, end: Number(end), waiting: waiting.join(' ') };
  };
  /** Makes a lease end now, as if its holder had not renewed it. */
  const lapse = async (key = 'k'): Promise<void> => {
    const { grant, waiting } = await leaseOf(key);
    await client.set(leaseName(key), `${grant} 1 ${waiting}`, 'PX', 60_000);
  };

  /**
   * A turn that only its load ends. Where the subscription becomes active only after a lease was asked for, as on a busy
   * machine, whoever waits already looks for itself once.
   *
   * @param processes - how many have asked for a lease so far, this one included
   */
  const heldFirmly = async (
    backend: AttachedBackend,
    processes: number,
    key = 'k',
  ): Promise<LoadTurn> => {
    (await held(backend, key)).cancel();
    await eventually('all who have asked are subscribed', async () => {
      const channels = (await client.pubsub('CHANNELS', `${prefix}:~wake:*`)) as unknown[];
      return channels.length === processes;
    });
    // What the server has sent before it answers this has arrived.
    await backend.backend.ping();
    return held(backend, key);
  };

  it('go to one of many who ask at once, and wake the others when the value is stored', async () => {
    const nodes = Array.from({ length: 4 }, () => node());
    const asked = nodes.flatMap((each) => Array.from({ length: 25 }, () => turn(each)));
    const answers = await Promise.all(asked);
    const starts = answers.filter((answer) => 'token' in answer);
    const turns = answers.filter((answer) => 'whenOver' in answer);
    expect(starts).to.have.length(1);
    expect(turns).to.have.length(99);
    const holder = nodes[Math.floor(answers.indexOf(starts[0]!) / 25)]!;
    expect(await fill(holder.store, starts[0]!, 'loaded')).to.equal('stored');
    await Promise.all(turns.map(({ whenOver }) => whenOver));
    expect(await valueOf(nodes[0]!.store, 'k')).to.equal('loaded');
    await eventually('nothing is left', async () => {
      return (await client.keys(`${prefix}:*%~*`)).length === 0;
    });
  });

  it('pass on when the token was given back', async () => {
    const [first, second] = [node(), node()];
    const { token } = await granted(first);
    const waiting = await held(second);
    first.store.release([token]);
    await waiting.whenOver;
    await granted(second);
  });

  it('pass on when the store was refused, for the key was invalidated meanwhile', async () => {
    const [first, second] = [node(), node()];
    const start = await granted(first);
    const waiting = await held(second);
    await second.store.delete(['k']);
    expect(await fill(first.store, start, 'old')).to.equal('refused');
    await waiting.whenOver;
    expect(await fill(second.store, await granted(second), 'new')).to.equal('stored');
    expect(await valueOf(first.store, 'k')).to.equal('new');
  });

  it('are not needed for an entry that is there, and do not wait for its refresh', async () => {
    const [first, second] = [node(), node()];
    await first.store.store([writeOf('k', 'there')]);
    const refreshing = await granted(first, 'k', { isRefresh: true });
    expect(refreshing.entry?.value).to.equal('there');
    expect((await granted(second)).entry?.value).to.equal('there');
    const waiting = await held(second, 'k', { isRefresh: true });
    expect(await fill(first.store, refreshing, 'refreshed')).to.equal('stored');
    await waiting.whenOver;
    expect(await valueOf(second.store, 'k')).to.equal('refreshed');
  });

  it('are asked for when the entry is void', async () => {
    const [first, second] = [node(), node()];
    for (const invalidate of [
      () => second.store.clear(),
      () => second.backend.invalidateTags({ anyOf: ['blue'] }),
    ]) {
      await first.store.store([writeOf('k', 'old', { kind: 'set' }, { tags: ['blue'] })]);
      await invalidate();
      const start = await granted(first);
      expect(start.entry).to.equal(undefined);
      const waiting = await held(second);
      first.store.release([start.token]);
      await waiting.whenOver;
    }
  });

  it('are one for each key of a call', async () => {
    const [first, second] = [node(), node()];
    await first.store.store([writeOf('c', 'there')]);
    const ours = await first.store.beginTurns!(['a', 'b', 'c']);
    (await heldFirmly(second, 2, 'a')).cancel();
    const theirs = await second.store.beginTurns!(['d', 'c', 'b', 'a']);
    expect(ours.map((answer) => 'token' in answer)).to.deep.equal([true, true, true]);
    expect(theirs.map((answer) => 'token' in answer)).to.deep.equal([true, true, false, false]);
    const [a, b] = ours as readonly FillStart[];
    const [, , waitsForB, waitsForA] = theirs as readonly LoadTurn[];
    const other = watched(waitsForA!);
    expect(await fill(first.store, b!, 'b')).to.equal('stored');
    await waitsForB!.whenOver;
    expect(other.isOver).to.equal(false);
    expect(await fill(first.store, a!, 'a')).to.equal('stored');
    await waitsForA!.whenOver;
  });

  it('cost a waiter three commands and a shared sign of life in each half of a timeout, however long it waits', async () => {
    const [first, second] = [node(), node({ commandTimeout: 2 * SIGN_OF_LIFE_MS })];
    const start = await granted(first);
    // So that scripts, generation and subscription are there.
    await second.store.get('other');
    second.store.release([(await granted(second, 'other')).token]);
    await second.backend.ping();
    const commands = await commandsOf(client, async () => {
      expect(await second.store.get('k')).to.equal(undefined);
      const waiting = await held(second);
      const beside = Array.from({ length: 20 }, () => held(second));
      await Promise.all(beside);
      const before = await pingsOf(client);
      const startedAt = performance.now();
      await eventually('several signs of life were asked for', async () => {
        return (await pingsOf(client)) >= before + 3;
      });
      // One for all 21 who wait; the subscriptions ask for theirs beside that.
      const signs = Math.ceil((performance.now() - startedAt) / SIGN_OF_LIFE_MS);
      expect((await pingsOf(client)) - before).to.be.at.most(3 * signs);
      const storing = fill(first.store, start, 'loaded');
      await waiting.whenOver;
      await Promise.all(beside.map(async (each) => (await each).whenOver));
      expect((await second.store.get('k'))?.value).to.equal('loaded');
      await storing;
    });
    // The waiter's two lookups, and a question of each of those who wait; of the holder the store and the end of its lease.
    expect(commands).to.deep.equal({ mget: 2, evalsha: 23, publish: 1 });
  });

  it('are renewed while the load lasts, and waiters wait longer without asking', async () => {
    const [first, second] = [node({ lease: '500ms' }), node({ lease: '500ms' })];
    const start = await granted(first);
    const { end, grant } = await leaseOf();
    const waiting = await heldFirmly(second, 2);
    const state = watched(waiting);
    await eventually('the lease lasts for three times its length', async () => {
      return (await leaseOf()).end > end + 1000;
    });
    expect(state.isOver, 'whether the waiter gave up').to.equal(false);
    expect((await leaseOf()).grant).to.equal(grant);
    expect(await fill(first.store, start, 'loaded')).to.equal('stored');
    await waiting.whenOver;
    expect(await valueOf(second.store, 'k')).to.equal('loaded');
  });

  it('are not renewed for longer than a token lives', async () => {
    const first = node({ lease: '500ms', fillTimeout: '800ms' });
    const second = node({ lease: '500ms', fillTimeout: '800ms' });
    const start = await granted(first);
    const waiting = await held(second);
    await waiting.whenOver;
    await inherited(second);
    expect(await fill(first.store, start, 'late')).to.equal('refused');
  });

  it('refuse the late store of whoever lost its lease', async () => {
    const [first, second] = [node(), node()];
    const lost = await granted(first);
    await lapse();
    const start = await granted(second);
    expect(await fill(first.store, lost, 'late')).to.equal('refused');
    expect(await valueOf(second.store, 'k')).to.equal(undefined);
    // The end of the lost lease must not end the new one.
    await held(first);
    expect(await fill(second.store, start, 'loaded')).to.equal('stored');
    expect(await valueOf(first.store, 'k')).to.equal('loaded');
  });

  it('tell waiters when another one takes over', async () => {
    const [first, second, third] = [node(), node(), node({ lease: '400ms' })];
    await granted(first);
    const waiting = await held(second);
    await lapse();
    const start = await granted(third);
    expect(await fill(third.store, start, 'loaded')).to.equal('stored');
    await waiting.whenOver;
  });

  it('are looked at by waiters once, at their end, when no message comes', async () => {
    const lonely = { lease: '600ms', maxConnections: 1 } as const;
    const [first, second] = [node(lonely), node(lonely)];
    const start = await granted(first);
    const waiting = await held(second);
    expect(await fill(first.store, start, 'loaded')).to.equal('stored');
    await waiting.whenOver;
    expect(await valueOf(second.store, 'k')).to.equal('loaded');
  });

  it('end when their backend is closed', async () => {
    const [first, second] = [node(), node()];
    await granted(first);
    const waiting = await held(second);
    await first.backend.close(1000);
    await waiting.whenOver;
    await granted(second);
  });

  it('let go of who no longer waits', async () => {
    const [first, second] = [node(), node()];
    const start = await granted(first);
    const cancelled = await heldFirmly(second, 2);
    const waiting = await held(second);
    cancelled.cancel();
    const state = watched(cancelled);
    first.store.release([start.token]);
    await waiting.whenOver;
    expect(state.isOver).to.equal(false);
  });

  it('end when their key is deleted: nobody waits for a load that is void', async () => {
    const first = node({ lease: '300ms' });
    const [second, third] = [node(), node()];
    const doomed = await granted(first);
    const waiting = await held(second);
    await third.store.delete(['other', 'k']);
    await waiting.whenOver;
    const start = await granted(second);
    const { grant } = await leaseOf();
    // Neither what the first one renews, nor what it stores late, nor what it gives back touches the new lease.
    const next = await heldFirmly(third, 3);
    const state = watched(next);
    const renewed = await granted(first, 'renewed');
    const { end } = await leaseOf('renewed');
    // One script renews all leases of a process.
    await eventually('it has renewed', async () => (await leaseOf('renewed')).end > end);
    first.store.release([renewed.token]);
    expect(await fill(first.store, doomed, 'void')).to.equal('refused');
    first.store.release([doomed.token]);
    await first.backend.ping();
    expect([(await leaseOf()).grant, state.isOver]).to.deep.equal([grant, false]);
    expect(await fill(second.store, start, 'loaded')).to.equal('stored');
    await next.whenOver;
    expect(await valueOf(first.store, 'k')).to.equal('loaded');
  });

  it('of an earlier generation are taken over by who comes after a clear', async () => {
    const [first, second, third] = [node(), node(), node()];
    // A cache that has never been used has no generation that a lease could remember.
    await third.store.store([writeOf('other', 1)]);
    const doomed = await granted(first);
    const waiting = await held(second);
    await third.store.clear();
    const start = await granted(third);
    const { grant } = await leaseOf();
    expect(await fill(first.store, doomed, 'void')).to.equal('refused');
    await first.backend.ping();
    expect((await leaseOf()).grant).to.equal(grant);
    expect(await fill(third.store, start, 'loaded')).to.equal('stored');
    await waiting.whenOver;
    expect(await valueOf(second.store, 'k')).to.equal('loaded');
  });

  it('are kept by a renewal at the generation at which they were given', async () => {
    const first = node({ lease: '300ms' });
    const second = node();
    await second.store.store([writeOf('other', 1)]);
    await granted(first);
    const { end } = await leaseOf();
    await eventually('the lease is renewed', async () => (await leaseOf()).end > end);
    await held(second);
    await second.store.clear();
    await granted(second);
  });

  it('let a new caller load at once, when what another process loads was deleted', async () => {
    const managers = [1, 2].map(
      () =>
        new CacheManager({
          backend: new RedisBackend({ url: server.url, prefix, lease: '1m', commandTimeout: '5s' }),
          logger: silentLogger,
        }),
    );
    try {
      const [ours, theirs] = managers.map((manager) =>
        manager.cache<[string], string>('items', { sync: 'cluster' }),
      );
      const slow = new GatedSource();
      for (const invalidate of [() => theirs!.delete('k'), () => theirs!.clear()]) {
        const first = ours!.getOrSet('k', () => slow.load());
        await slow.started(slow.count + 1);
        await invalidate();
        expect(await theirs!.getOrSet('k', async () => 'new')).to.equal('new');
        slow.finish(slow.count, 'old');
        expect(await first).to.equal('old');
        expect(await ours!.get('k')).to.equal('new');
        await ours!.delete('k');
      }
    } finally {
      await Promise.all(managers.map((manager) => manager.close()));
    }
  });

  it('are not listed as keys, and are not freed by patterns and clears', async () => {
    const [first, second] = [node(), node()];
    await granted(first);
    await second.store.store([writeOf('other', 1)]);
    expect(await second.store.scan({ count: 10 })).to.have.deep.property('keys', ['other']);
    await second.store.clear();
    await eventually('the clear has freed the entry', async () => {
      return (await client.exists(`${prefix}:1:users:other`)) === 0;
    });
    await second.store.deletePattern(compilePattern('*'));
    expect(await client.exists(leaseName())).to.equal(1);
  });

  it('let waiters look for themselves when their subscription is cut', async () => {
    const [first, second] = [node(), node()];
    const start = await granted(first);
    const cut = await held(second);
    await client.client('KILL', 'TYPE', 'pubsub');
    await cut.whenOver;
    const waiting = await heldFirmly(second, 2);
    const state = watched(waiting);
    await second.backend.ping();
    expect(state.isOver).to.equal(false);
    expect(await fill(first.store, start, 'loaded')).to.equal('stored');
    await waiting.whenOver;
    expect(await valueOf(second.store, 'k')).to.equal('loaded');
    const errors = second.events.filter(({ type }) => type === 'error');
    expect(errors).to.have.length(1);
    expect(errors[0]).to.have.property('operation', 'subscribe');
  });

  it('let waiters look for themselves when their subscription falls silent', async () => {
    const valve = await TcpValve.open(server.port);
    try {
      const [first, second] = [node(), node({ host: '127.0.0.1', port: valve.port })];
      const start = await granted(first);
      const waiting = await held(second);
      valve.shut();
      expect(await fill(first.store, start, 'loaded')).to.equal('stored');
      await waiting.whenOver;
      valve.reopen();
      await eventually('the other one sees the value', () => {
        return valueOf(second.store, 'k').then(
          (value) => value === 'loaded',
          () => false,
        );
      });
    } finally {
      await valve.close();
    }
  });

  it('let waiters look for themselves when calls cannot reach Redis, though the subscription is alive', async () => {
    const [first, second] = [node(), node()];
    await granted(first);
    const waiting = await held(second);
    await client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await waiting.whenOver;
    const errors = second.events.filter(({ type }) => type === 'error');
    expect(errors, 'of the subscription').to.deep.equal([]);
  });

  it('let waiters go on by themselves as soon as Redis gives no sign of life', async () => {
    const valve = await TcpValve.open(server.port);
    try {
      const [first, second] = [
        node(),
        node({ host: '127.0.0.1', port: valve.port, commandTimeout: '100ms' }),
      ];
      await granted(first);
      const waiting = await held(second);
      valve.shut();
      await waiting.whenOver;
      expect(waiting.failure).to.be.instanceOf(CacheTimeoutError);
      // Its subscription is not known to be silent yet, and nothing but the waiting has asked Redis.
      expect(second.events).to.deep.equal([]);
    } finally {
      await valve.close();
    }
  });

  it('are not to be had while Redis is away, at once', async () => {
    const mortal = await RedisServer.start();
    const [first, second] = [0, 1].map(() => node({ host: '127.0.0.1', port: mortal.port }));
    await granted(first!);
    const waiting = await held(second!);
    await mortal.stop();
    await waiting.whenOver;
    const failure = await turn(second!).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(CacheConnectionError);
    await mortal.start();
    await eventually(
      'Redis is back',
      () => second!.backend.isAvailable && first!.backend.isAvailable,
    );
    await granted(second!);
    await held(first!);
    await mortal.stop();
  });

  it('pass on when the process that holds them is killed', async function () {
    this.timeout(60_000);
    const lease = 400;
    const victim = remote({ lease });
    const heir = node({ lease });
    const delaysMs: number[] = [];
    for (let round = 0; round < 5; round++) {
      const loader = round === 0 ? victim : remote({ lease });
      expect(await loader.perform({ action: 'turn', key: `k${round}` })).to.equal(true);
      const waiting = await held(heir, `k${round}`);
      await loader.kill();
      const { end } = await leaseOf(`k${round}`);
      await waiting.whenOver;
      await inherited(heir, `k${round}`);
      // By the server's clock: when the heir's lease began.
      delaysMs.push((await leaseOf(`k${round}`)).end - lease - end);
    }
    expect(delaysMs.every((delayMs) => delayMs >= 0)).to.equal(true);
    // A busy machine may be late, but not most of the time.
    const medianMs = delaysMs.toSorted((one, other) => one - other)[2]!;
    expect(medianMs, String(delaysMs)).to.be.at.most(TAKE_OVER_MS + SLACK_MS);
  });

  it('are lost by a process that pauses for longer, and its late store is refused', async () => {
    const options = { lease: 500 };
    const loader = remote(options);
    const heir = node(options);
    expect(await loader.perform({ action: 'turn', key: 'k' })).to.equal(true);
    const waiting = await held(heir);
    loader.freeze();
    await waiting.whenOver;
    const start = await inherited(heir);
    loader.thaw();
    expect(await loader.perform({ action: 'fill', key: 'k', value: 'late' })).to.equal('refused');
    expect(await fill(heir.store, start, 'loaded')).to.equal('stored');
    expect(await valueOf(heir.store, 'k')).to.equal('loaded');
  });
});

/** How many `PING`s the server has had since its counts were reset. */
async function pingsOf(client: Redis): Promise<number> {
  return Number(/cmdstat_ping:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
}

/** How many commands the server executes meanwhile, by name; `INFO` and `CONFIG` are not counted. */
async function commandsOf(
  client: Redis,
  body: () => Promise<void>,
): Promise<Readonly<Record<string, number>>> {
  await client.config('RESETSTAT');
  await body();
  const text = await client.info('commandstats');
  const calls = [...text.matchAll(/cmdstat_([\w|]+):calls=(\d+)/g)].map(
    ([, name, count]) => [name!, Number(count)] as const,
  );
  // What the scripts execute inside is counted as well.
  const counted = ['mget', 'evalsha', 'publish', 'subscribe'];
  return Object.fromEntries(calls.filter(([name]) => counted.includes(name)));
}
