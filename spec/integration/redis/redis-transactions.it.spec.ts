import { expect } from 'chai';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { FENCE_SUFFIX } from '#internal/backends/redis/redis-lua.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { settle } from '../../support/gated-source.js';
import { RedisServer } from '../../support/redis-server.js';
import { TransactionSession } from '../../support/transaction-session.js';

describe('Transactions of two managers on one Redis', function () {
  this.timeout(30_000);

  let server: RedisServer;
  let here: CacheManager;
  let there: CacheManager;
  let hereUsers: Cache<readonly [number], string>;
  let thereUsers: Cache<readonly [number], string>;
  let errors: unknown[];
  let count = 0;

  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server.stop());
  const start = (fillTimeout?: number): void => {
    const prefix = `tx-${++count}`;
    const manager = (): CacheManager =>
      new CacheManager({
        backend: new RedisBackend({
          url: server.url,
          prefix,
          commandTimeout: 5_000,
          ...(fillTimeout !== undefined && { fillTimeout }),
        }),
        logger: silentLogger,
      });
    [here, there] = [manager(), manager()];
    [hereUsers, thereUsers] = [here.cache('users'), there.cache('users')];
    errors = [];
    for (const each of [here, there]) each.on('error', (error) => errors.push(error));
  };
  beforeEach(() => start());
  afterEach(async () => {
    expect(errors).to.deep.equal([]);
    await Promise.all([here.close(), there.close()]);
  });

  it('show the other one everything at the end, and nothing before', async () => {
    await hereUsers.setMany([
      [1, 'old'],
      [2, 'old'],
      [3, 'old'],
    ]);
    const session = new TransactionSession(here);
    await session.run(() => hereUsers.set(1, 'new', { tags: ['a'] }));
    await session.run(() => hereUsers.delete(2));
    await session.run(() => hereUsers.getOrSet(4, async () => 'uncommitted'));
    expect(await session.run(() => hereUsers.getMany([1, 2, 3, 4]))).to.deep.equal(
      new Map([
        [1, 'new'],
        [3, 'old'],
        [4, 'uncommitted'],
      ]),
    );
    expect(await thereUsers.getMany([1, 2, 3, 4])).to.deep.equal(
      new Map([
        [1, 'old'],
        [2, 'old'],
        [3, 'old'],
      ]),
    );
    await session.commit();
    expect(await thereUsers.getMany([1, 2, 3, 4])).to.deep.equal(
      new Map([
        [1, 'new'],
        [3, 'old'],
      ]),
    );
    await there.invalidateTags('a');
    expect(await hereUsers.get(1)).to.equal(undefined);
  });

  for (const [name, evict] of [
    ['delete', () => thereUsers.delete(1)],
    ['deletePattern', () => thereUsers.deletePattern('*')],
    ['invalidateTags', () => thereUsers.invalidateTags('a')],
    ['invalidateTags of all', () => thereUsers.invalidateTags({ all: ['a', 'b'] })],
    ['clear', () => thereUsers.clear()],
    ['clearAll', () => there.clearAll()],
    ['set', () => thereUsers.set(1, 'newer')],
  ] as const) {
    it(`put nothing over a ${name} of the other one since (carlos-emr/carlos#2141)`, async () => {
      await thereUsers.set(1, 'first', { tags: ['a', 'b'] });
      const session = new TransactionSession(here);
      await session.run(() => hereUsers.set(1, 'older', { tags: ['a', 'b'] }));
      await evict();
      expect(await session.run(() => hereUsers.get(1))).to.equal('older');
      await session.commit();
      expect(await thereUsers.get(1)).to.equal(undefined);
    });

    it(`serve no load of theirs behind a ${name} of the other one`, async () => {
      const session = new TransactionSession(here);
      const options = { tags: ['a', 'b'] };
      await session.run(() => hereUsers.getOrSet(1, async () => 'older', options));
      expect(await session.run(() => hereUsers.get(1))).to.equal('older');
      await evict();
      expect(await session.run(() => hereUsers.get(1))).to.not.equal('older');
      await session.commit();
    });
  }

  it('drop puts that came behind an own clear, for the store cannot tell whether they still hold', async () => {
    await thereUsers.set(2, 'old');
    await here.transaction(async () => {
      await hereUsers.clear();
      await hereUsers.set(1, 'new');
    });
    expect(await thereUsers.getMany([1, 2])).to.deep.equal(new Map());
  });

  it('keep a put that came behind an own delete of its key', async () => {
    await thereUsers.set(1, 'old');
    await here.transaction(async () => {
      await hereUsers.delete(1);
      await hereUsers.set(1, 'new');
    });
    expect(await thereUsers.get(1)).to.equal('new');
  });

  it('drop a put, and void its key, when they take longer than the store keeps tokens', async () => {
    await Promise.all([here.close(), there.close()]);
    start(100);
    await thereUsers.set(1, 'old');
    const session = new TransactionSession(here);
    await session.run(() => hereUsers.set(1, 'new'));
    // The server's clock ends the token, so there is nothing to do but to let it pass.
    const over = performance.now() + 250;
    while (performance.now() < over) await settle();
    await session.commit();
    expect(await thereUsers.get(1)).to.equal(undefined);
  });

  it('leave no token behind', async () => {
    const session = new TransactionSession(here);
    await session.run(() => hereUsers.set(1, 'one'));
    await session.run(() => hereUsers.set(1, 'another'));
    await session.run(() => hereUsers.set(2, 'two'));
    await session.run(() => hereUsers.delete(2));
    await session.run(() => hereUsers.getOrSet(3, async () => 'three'));
    await session.run(() => hereUsers.get(3));
    await session.fail();
    const client = server.client();
    const fences = async (): Promise<readonly string[]> =>
      (await client.keys(`tx-${count}*`)).filter((key) => key.endsWith(FENCE_SUFFIX));
    const limit = performance.now() + 5_000;
    while ((await fences()).length > 0 && performance.now() < limit) await settle();
    expect(await fences()).to.deep.equal([]);
    client.disconnect();
  });
});
