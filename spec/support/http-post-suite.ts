import { expect } from 'chai';
import type { CacheBackend } from '#internal/cache/backend.js';
import { httpCache } from '#internal/express/http-cache.js';
import { httpInvalidation } from '#internal/express/http-invalidation.js';
import { HttpFixture, type AskOptions } from './http-fixture.js';

/** What is said of a POST's answer. */
type Fields = Readonly<Record<string, string>>;

const OWN: Fields = { 'Cache-Control': 'max-age=60', 'Content-Location': '/items/1' };

/**
 * The answers to POST that GET may be given (RFC 9110 section 9.3.3), on a store of one's own choice.
 *
 * @param backend - gives a new store for each spec
 */
export function describePostAnswers(name: string, backend: () => CacheBackend): void {
  describe(`the answer to a POST, on ${name},`, () => {
    let http: HttpFixture;
    let fields: Fields;
    let status: number;
    let stored: string[];
    let gets: number;
    /** What happens while the POST's handler runs. */
    let meanwhile: () => unknown;

    beforeEach(async () => {
      http = await HttpFixture.start({ backend: backend() });
      fields = OWN;
      status = 200;
      stored = [];
      gets = 0;
      meanwhile = (): void => undefined;
      http.manager.on('set', ({ key }) => stored.push(key));
      const { manager } = http;
      http.app.use('/items', httpInvalidation({ manager }));
      http.app.use('/elsewhere', httpInvalidation({ manager }));
      http.app.use(httpCache({ manager, profile: 'rfc9111' }));
      http.app.get('/items/:id', (_req, res) => {
        gets++;
        res.set(OWN).send('got');
      });
      http.app.post('/items/:id', async (_req, res) => {
        const answer = fields;
        await meanwhile();
        res.status(status).set(answer).send('posted');
      });
      http.app.post('/elsewhere', (_req, res) => void res.send('done'));
    });

    afterEach(() => http.stop());

    /** Until whatever a response leaves to be done has been done. */
    const settled = async (): Promise<void> => {
      for (let turns = 0; turns < 5; turns++) await http.ask('/nowhere');
    };

    const post = async (options: AskOptions = {}): Promise<void> => {
      const answer = await http.ask('/items/1', { method: 'POST', body: 'x', ...options });
      expect(answer.text).to.equal('posted');
      await settled();
    };

    /** What a GET gets, and whether its handler ran. */
    const got = async (): Promise<readonly [string, number]> => {
      const { text } = await http.ask('/items/1');
      return [text, gets];
    };

    /** A client that comes back: a fast lane, where there is one, answers him from his third time on. */
    const alwaysGot = async (text: string, count: number): Promise<void> => {
      for (let time = 0; time < 3; time++) expect(await got()).to.deep.equal([text, count]);
    };

    it('answers GET, when it is what a GET would get and says for how long', async () => {
      await post();
      expect(stored).to.have.length(1);
      const { text, cache, status: code } = await http.ask('/items/1');
      expect([code, cache, text, gets]).to.deep.equal([200, 'HIT', 'posted', 0]);
      await alwaysGot('posted', 0);
    });

    it('replaces what was there, other writes having been there before', async () => {
      await alwaysGot('got', 1);
      await http.ask('/elsewhere', { method: 'POST' });
      await post();
      await alwaysGot('posted', 1);
    });

    it('is void after the next write', async () => {
      await post();
      await alwaysGot('posted', 0);
      fields = {};
      await post();
      await alwaysGot('got', 1);
    });

    const others: readonly (readonly [string, Fields, number?])[] = [
      ['names another URL', { ...OWN, 'Content-Location': '/items/2' }],
      ['names another host', { ...OWN, 'Content-Location': '//other.example/items/1' }],
      ['names none', { 'Cache-Control': 'max-age=60' }],
      ['does not say for how long', { 'Content-Location': '/items/1' }],
      ['is private', { ...OWN, 'Cache-Control': 'private, max-age=60' }],
      ['reports that something was made', OWN, 201],
      ['failed', OWN, 500],
    ];
    for (const [what, said, code = 200] of others) {
      it(`does not answer GET, when it ${what}`, async () => {
        fields = said;
        status = code;
        await post();
        expect(await got()).to.deep.equal(['got', 1]);
      });
    }

    it('does not answer GET, when it depends on a condition', async () => {
      await post({ headers: { 'If-None-Match': '"v1"' } });
      expect(await got()).to.deep.equal(['got', 1]);
    });

    const disturbances: Readonly<Record<string, () => unknown>> = {
      'another write to its path': async () => {
        const outer = meanwhile;
        meanwhile = (): void => undefined;
        await http.ask('/items/1', { method: 'POST' });
        meanwhile = outer;
        stored.length = 0;
      },
      'a write elsewhere': () => http.ask('/elsewhere', { method: 'POST' }),
      'an invalidation of its path by a tag': () => http.manager.invalidateTags('http:at:/items/1'),
      'the deletion of its key': async () => {
        await http.ask('/items/1');
        expect(await http.manager.cache('http').deletePattern('GET:items:1:*')).to.equal(1);
      },
      'the clearing of the cache': () => http.manager.cache('http').clear(),
    };
    for (const [what, happen] of Object.entries(disturbances)) {
      it(`does not answer GET, when ${what} came in between`, async () => {
        meanwhile = happen;
        await post();
        gets = 0;
        expect(await got()).to.deep.equal(['got', 1]);
      });
    }
  });
}
