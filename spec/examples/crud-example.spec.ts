import { expect } from 'chai';
import { ExampleProgram, compileExamples } from '../support/example-program.js';

const TOKEN = 'token-of-the-spec';

describe('the example crud', function () {
  this.timeout(120_000);
  let program: ExampleProgram;

  before(() => compileExamples());

  beforeEach(async () => {
    program = await ExampleProgram.start('crud', { CACHE_ADMIN_TOKEN: TOKEN });
  });

  afterEach(() => program.stop());

  const pen = { name: 'pen', price: 2 };
  const create = (body: object = pen) => program.ask('/items', { method: 'POST', body });

  it('answers lists and items from the cache until a write makes them untrue', async () => {
    const empty = await program.ask('/items');
    expect([empty.status, empty.cache, empty.body]).to.deep.equal([200, 'MISS', { items: [] }]);
    expect((await program.ask('/items')).cache).to.equal('HIT');

    const created = await create();
    expect([created.status, created.headers.location]).to.deep.equal([201, '/items/1']);
    expect(created.body).to.deep.equal({ item: { ...pen, id: 1 } });
    const list = await program.ask('/items');
    expect([list.cache, list.body]).to.deep.equal(['MISS', { items: [{ ...pen, id: 1 }] }]);

    await create({ name: 'ink', price: 5 });
    for (const path of ['/items/1', '/items/2']) {
      expect((await program.ask(path)).cache, path).to.equal('MISS');
      expect((await program.ask(path)).cache, path).to.equal('HIT');
    }
  });

  for (const [method, body, after] of [
    ['PUT', { name: 'pencil', price: 1 }, { name: 'pencil', price: 1, id: 1 }],
    ['PATCH', { price: 3 }, { name: 'pen', price: 3, id: 1 }],
    ['DELETE', undefined, undefined],
  ] as const) {
    it(`has the item and the list fresh after ${method}, and its sibling still cached`, async () => {
      await create();
      await create({ name: 'ink', price: 5 });
      for (const path of ['/items', '/items/1', '/items/2']) await program.ask(path);
      const written = await program.ask('/items/1', {
        method,
        ...(body !== undefined && { body }),
      });
      expect(written.status).to.equal(method === 'DELETE' ? 204 : 200);
      const item = await program.ask('/items/1');
      expect(item.status).to.equal(after === undefined ? 404 : 200);
      if (after !== undefined)
        expect([item.cache, item.body]).to.deep.equal(['MISS', { item: after }]);
      const list = await program.ask('/items');
      const ink = { name: 'ink', price: 5, id: 2 };
      const items = after === undefined ? [ink] : [after, ink];
      expect(list.cache).to.equal('MISS');
      expect((list.body as { items: unknown[] }).items).to.have.deep.members(items);
      expect((await program.ask('/items/2')).cache).to.equal('HIT');
    });
  }

  for (const [fault, method, path, body] of [
    ['no name', 'POST', '/items', { price: 2 }],
    ['a negative price', 'POST', '/items', { name: 'pen', price: -1 }],
    ['an unknown field', 'POST', '/items', { ...pen, isAdmin: true }],
    ['no body', 'POST', '/items', undefined],
    ['half an item', 'PUT', '/items/1', { price: 3 }],
    ['a name that is null', 'PATCH', '/items/1', { name: null }],
  ] as const) {
    it(`answers 400 to a ${method} with ${fault}, which makes nothing untrue`, async () => {
      await create();
      await program.ask('/items');
      await program.ask('/items/1');
      const refused = await program.ask(path, { method, ...(body !== undefined && { body }) });
      expect(refused.status).to.equal(400);
      expect((refused.body as { messages: unknown[] }).messages).to.not.be.empty;
      expect((await program.ask('/items')).cache).to.equal('HIT');
      expect((await program.ask('/items/1')).cache).to.equal('HIT');
    });
  }

  it('answers 404 for what is not there, and does not store that', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'GET', 'GET']) {
      const body = method === 'PUT' || method === 'PATCH' ? { body: pen } : {};
      const answer = await program.ask('/items/9', { method, ...body });
      expect([answer.status, answer.body]).to.deep.equal([
        404,
        { error: 'There is no such item.' },
      ]);
    }
  });

  it('limits lists to 100 a minute, items to 200 and changes to 50, hits included', async () => {
    await create();
    for (const [path, method, limit, name] of [
      ['/items', 'GET', 100, 'lists'],
      ['/items/1', 'GET', 200, 'details'],
      ['/items', 'POST', 50, 'changes'],
    ] as const) {
      const { headers } = await program.ask(path, {
        method,
        ...(method === 'POST' && { body: pen }),
      });
      expect(headers['ratelimit-policy']).to.match(new RegExp(`^"${name}"; q=${limit}; w=60`));
    }
    let last = await program.ask('/items');
    for (let count = 2; count < 100; count++) last = await program.ask('/items');
    expect([last.status, last.cache]).to.deep.equal([200, 'HIT']);
    const refused = await program.ask('/items');
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers['retry-after'])).to.be.within(1, 60);
    expect((refused.body as { error: { code: string } }).error.code).to.equal(
      'ERR_CACHE_RATE_LIMIT',
    );
    expect((await program.ask('/items/1')).status).to.equal(200);
  });

  describe('administered by hand', () => {
    const authorized = { headers: { authorization: `Bearer ${TOKEN}` } };
    const post = (path: string) => program.ask(path, { ...authorized, method: 'POST' });
    const reports = async (): Promise<unknown> => {
      const { body } = await program.ask('/api/cache/stats', authorized);
      const { hits, loads } = (body as { caches: Record<string, { hits: number; loads: number }> })
        .caches['reports']!;
      return { hits, loads };
    };

    it('is guarded', async () => {
      await program.ask('/items');
      for (const [path, method] of [
        ['/admin/warm-cache', 'POST'],
        ['/admin/invalidate/items', 'POST'],
        ['/admin/report', 'GET'],
      ] as const) {
        for (const headers of [{}, { authorization: 'Bearer guess' }]) {
          expect((await program.ask(path, { method, headers })).status, path).to.equal(401);
        }
      }
      expect((await program.ask('/items')).cache).to.equal('HIT');
    });

    it('warms an entry of its own, which is read without a load, and fresh behind a write', async () => {
      await create();
      const warmed = await post('/admin/warm-cache');
      expect([warmed.status, warmed.body]).to.deep.equal([200, { status: 'cache warmed' }]);
      const read = async () => (await program.ask('/admin/report', authorized)).body;
      expect(await read()).to.deep.equal({ items: 1, total: 2 });
      expect(await reports()).to.deep.equal({ hits: 1, loads: 0 });
      await create({ name: 'ink', price: 5 });
      expect(await read()).to.deep.equal({ items: 2, total: 7 });
      expect(await reports()).to.deep.equal({ hits: 1, loads: 1 });
    });

    it('invalidates the responses of one resource, whatever its name holds', async () => {
      await create();
      for (const path of ['/items', '/items?page=2', '/items/1']) await program.ask(path);
      for (const name of ['*', 'item?', '[i]tems', '%2A', 'ITEMS', 'items%3A', '%5C*']) {
        const { status, body } = await post(`/admin/invalidate/${name}`);
        expect([status, body], name).to.deep.equal([200, { cleared: 0 }]);
      }
      expect((await program.ask('/items')).cache).to.equal('HIT');
      expect((await post('/admin/invalidate/items')).body).to.deep.equal({ cleared: 3 });
      for (const path of ['/items', '/items?page=2', '/items/1']) {
        expect((await program.ask(path)).cache, path).to.equal('MISS');
      }
    });
  });

  it('lets the cache be looked at and cleared by those who have the token', async () => {
    const authorized = { headers: { authorization: `Bearer ${TOKEN}` } };
    await program.ask('/items');
    await program.ask('/items');
    for (const [path, method] of [
      ['/api/cache/stats', 'GET'],
      ['/api/cache/health', 'GET'],
      ['/api/cache/clear', 'POST'],
      ['/api/cache/stats/reset', 'POST'],
    ] as const) {
      for (const headers of [{}, { authorization: 'Bearer guess' }]) {
        expect((await program.ask(path, { method, headers })).status, path).to.equal(401);
      }
    }
    expect((await program.ask('/items')).cache).to.equal('HIT');

    const stats = await program.ask('/api/cache/stats', authorized);
    expect(stats.status).to.equal(200);
    expect(stats.body).to.include({ hits: 2 });
    const health = await program.ask('/api/cache/health', authorized);
    expect([health.status, (health.body as { status: string }).status]).to.deep.equal([
      200,
      'healthy',
    ]);
    const cleared = await program.ask('/api/cache/clear', {
      ...authorized,
      method: 'POST',
    });
    expect(cleared.status).to.equal(200);
    expect((await program.ask('/items')).cache).to.equal('MISS');
    const reset = await program.ask('/api/cache/stats/reset', { ...authorized, method: 'POST' });
    expect(reset.status).to.equal(204);
    expect((await program.ask('/api/cache/stats', authorized)).body).to.include({ hits: 0 });
  });
});
