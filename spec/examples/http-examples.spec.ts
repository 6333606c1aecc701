import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ExampleProgram, compileExamples } from '../support/example-program.js';
import { packageRoot } from '../support/package-root.js';
import { runProcess } from '../support/run-process.js';

describe('the HTTP examples', function () {
  this.timeout(120_000);

  before(() => compileExamples());

  it('are what npm run example offers', async () => {
    const { code, stderr } = await runProcess(process.execPath, ['scripts/example.mjs'], {
      cwd: packageRoot,
    });
    expect(code).to.equal(1);
    const names = stderr.trim().split('one of: ')[1]?.split(', ');
    const folders = readdirSync(join(packageRoot, 'examples'), { withFileTypes: true });
    expect(names).to.deep.equal(
      folders
        .filter((each) => each.isDirectory())
        .map(({ name }) => name)
        .sort(),
    );
  });

  it('are all named in docs/HTTP.md', () => {
    const page = readFileSync(join(packageRoot, 'docs/HTTP.md'), 'utf8');
    const named = [...page.matchAll(/^\| `([\w-]+)` +\|.*\]\(\.\.\/examples\/\1\)/gm)];
    expect(named.map(([, name]) => name!).sort()).to.deep.equal(
      readdirSync(join(packageRoot, 'examples'), { withFileTypes: true })
        .filter((each) => each.isDirectory() && each.name !== 'demo')
        .map(({ name }) => name)
        .sort(),
    );
  });

  describe('http-basic', () => {
    it('has a fresh list after a POST that says nothing about the cache', async () => {
      await using program = await ExampleProgram.start('http-basic');
      const first = await program.ask('/items');
      expect([first.status, first.cache, first.body]).to.deep.equal([200, 'MISS', { items: [] }]);
      const second = await program.ask('/items');
      expect([second.cache, second.body]).to.deep.equal(['HIT', { items: [] }]);
      const created = await program.ask('/items', { method: 'POST', body: { name: 'pen' } });
      expect([created.status, created.body]).to.deep.equal([201, { item: { name: 'pen' } }]);
      const third = await program.ask('/items');
      expect([third.cache, third.body]).to.deep.equal(['MISS', { items: [{ name: 'pen' }] }]);
      expect((await program.ask('/items')).cache).to.equal('HIT');
    });

    it('ends by the signal that it was sent', async () => {
      const program = await ExampleProgram.start('http-basic');
      expect((await program.ask('/items')).status).to.equal(200);
      expect(await program.stop()).to.equal('SIGTERM');
    });
  });

  describe('http-auth', () => {
    const ada = { authorization: 'Bearer token-of-ada' };
    const grace = { authorization: 'Bearer token-of-grace' };

    it('shares among employees what it says is theirs, and asks for the token each time', async () => {
      await using program = await ExampleProgram.start('http-auth');
      expect((await program.ask('/canteen')).status).to.equal(401);
      const first = await program.ask('/canteen', { headers: ada });
      expect([first.status, first.cache]).to.deep.equal([200, 'MISS']);
      const second = await program.ask('/canteen', { headers: grace });
      expect([second.status, second.cache]).to.deep.equal([200, 'HIT']);
      expect(second.body).to.deep.equal(first.body);
      for (const headers of [{}, { authorization: 'Bearer guess' }]) {
        const stranger = await program.ask('/canteen', { headers });
        expect(stranger.status).to.equal(401);
        expect(stranger.body).to.deep.equal({ error: 'Who are you?' });
      }
    });

    it('tells browsers and other caches to keep nothing', async () => {
      await using program = await ExampleProgram.start('http-auth');
      for (const cache of ['MISS', 'HIT']) {
        const answer = await program.ask('/canteen', { headers: ada });
        expect(answer.cache).to.equal(cache);
        expect(answer.headers['cache-control']).to.equal('no-store');
      }
    });

    it('does not store what is made for one token', async () => {
      await using program = await ExampleProgram.start('http-auth');
      for (const [headers, employee] of [
        [ada, 'ada'],
        [grace, 'grace'],
        [ada, 'ada'],
      ] as const) {
        const answer = await program.ask('/salary', { headers });
        expect([answer.cache, answer.body]).to.deep.equal(['SKIP', { employee, salary: 4711 }]);
      }
    });
  });

  describe('http-per-user', () => {
    const of = (user: string) => ({ cookie: `session=session-of-${user}` });

    it('has an entry for each user, and none for strangers', async () => {
      await using program = await ExampleProgram.start('http-per-user');
      const note = { method: 'POST', headers: of('ada'), body: { note: 'buy soup' } };
      expect((await program.ask('/notes', note)).status).to.equal(201);
      const adas = { userId: 'ada', notes: ['buy soup'] };
      const graces = { userId: 'grace', notes: [] };
      for (const word of ['MISS', 'HIT']) {
        const first = await program.ask('/notes', { headers: of('ada') });
        expect([first.cache, first.body]).to.deep.equal([word, adas]);
        const second = await program.ask('/notes', { headers: of('grace') });
        expect([second.cache, second.body]).to.deep.equal([word, graces]);
      }
      for (let time = 0; time < 2; time++) {
        const stranger = await program.ask('/notes');
        expect([stranger.cache, stranger.body]).to.deep.equal([
          'SKIP',
          { userId: null, notes: [] },
        ]);
      }
    });

    it('shows the writer what was written', async () => {
      await using program = await ExampleProgram.start('http-per-user');
      await program.ask('/notes', { headers: of('ada') });
      await program.ask('/notes', { method: 'POST', headers: of('ada'), body: { note: 'one' } });
      const answer = await program.ask('/notes', { headers: of('ada') });
      expect(answer.body).to.deep.equal({ userId: 'ada', notes: ['one'] });
    });

    it('leaves nothing to browsers and proxies', async () => {
      await using program = await ExampleProgram.start('http-per-user');
      for (const word of ['MISS', 'HIT']) {
        const answer = await program.ask('/notes', { headers: of('ada') });
        expect(answer.cache).to.equal(word);
        expect(answer.headers['cache-control']).to.equal('private, no-store');
      }
    });
  });

  describe('custom-backend', () => {
    it('keeps responses in the backend, and invalidates them there', async () => {
      await using program = await ExampleProgram.start('custom-backend');
      expect((await program.ask('/backend')).body).to.deep.equal({ name: 'map', entries: 0 });
      expect((await program.ask('/stock')).cache).to.equal('MISS');
      const hit = await program.ask('/stock');
      expect([hit.cache, hit.body]).to.deep.equal(['HIT', { stock: 3 }]);
      expect((await program.ask('/backend')).body).to.deep.equal({ name: 'map', entries: 1 });
      expect((await program.ask('/stock/orders', { method: 'POST' })).status).to.equal(201);
      const fresh = await program.ask('/stock');
      expect([fresh.cache, fresh.body]).to.deep.equal(['MISS', { stock: 2 }]);
    });
  });
});
