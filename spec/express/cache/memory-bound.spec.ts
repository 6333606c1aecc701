import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { httpCache } from '#internal/express/http-cache.js';
import { NO_RECORD, recordBytes } from '#internal/express/stored-record.js';
import { HttpFixture } from '../../support/http-fixture.js';

const MIB = 1024 * 1024;
const BOUND = 256 * MIB;

describe('the memory that responses take', () => {
  let http: HttpFixture;
  let backend: MemoryBackend;

  beforeEach(async () => {
    backend = new MemoryBackend();
    http = await HttpFixture.start({ backend });
  });

  afterEach(() => http.stop());

  const heldBytes = (): number => Number(backend.info()['bytes'] ?? 0);

  it('is counted when they are stored, with no option set', async () => {
    const { manager } = http;
    http.app.get('/pages/:id', httpCache({ manager, ttl: '1m' }), (req, res) => {
      res.send(Buffer.alloc(MIB, req.params['id']));
    });
    await http.ask('/pages/a');
    expect(heldBytes()).to.be.within(MIB, MIB + 5_000);
    await http.ask('/pages/b');
    await http.ask('/pages/b');
    expect(heldBytes()).to.be.within(2 * MIB, 2 * MIB + 10_000);
    expect(backend.info()).to.include({ maxBytes: BOUND, entries: 2 });
    await manager.core('http').clear('throw');
    backend.sweep();
    expect(heldBytes()).to.equal(0);
  });

  it('stays below 256 MiB for a thousand responses of 10 MiB, and costs the methods nothing', async () => {
    const { manager } = http;
    http.app.get('/', httpCache({ manager, ttl: '1m' }), (_req, res) => void res.send('x'));
    await http.ask('/');
    const users = manager.cache<[number], object>('users');
    for (let id = 0; id < 500; id++) await users.set([id], { id });
    const responses = manager.cache<[number], object>('http');
    // One body for all: what counts is what each of them says that it takes.
    const record = { ...NO_RECORD, body: new Uint8Array(10 * MIB) };
    let most = 0;
    for (let id = 0; id < 1_000; id++) {
      await responses.set([id], { ...record });
      most = Math.max(most, heldBytes());
    }
    expect(most).to.be.within(BOUND - 10 * MIB, BOUND);
    const { caches } = manager.statistics();
    expect(caches['users']!.evictions).to.equal(0);
    expect(caches['http']!.evictions).to.equal(1_001 - 25);
    expect(await users.get([0])).to.deep.equal({ id: 0 });
    expect(await responses.get([0])).to.equal(undefined);
  });

  it('is not told by what no record is', () => {
    const hostile = Object.defineProperty({}, 'body', {
      get: () => {
        throw new Error('read');
      },
    });
    for (const value of [undefined, null, 1, 'text', {}, [], { body: 'x', headers: [] }, hostile]) {
      expect(recordBytes(value)).to.equal(undefined);
    }
    expect(recordBytes({ body: new Uint8Array(5), headers: [1, null, 'a'] })).to.be.above(5);
  });
});
