import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture } from '../../support/http-fixture.js';

describe('httpCache with a response that it cannot watch', () => {
  let http: HttpFixture;

  beforeEach(async () => {
    http = await HttpFixture.start();
  });

  afterEach(() => http.stop());

  it('lets the handler answer, once, and reports it', async () => {
    const errors: string[] = [];
    http.manager.on('error', ({ error }) => void errors.push(error.message));
    http.app.use((_req, res, next) => {
      const own = res as unknown as { getRawHeaderNames?: unknown };
      own.getRawHeaderNames = undefined;
      next();
    });
    let runs = 0;
    http.app.get(
      '/',
      httpCache({ manager: http.manager, ttl: '1m' }),
      (_req, res: ServerResponse) => {
        runs++;
        res.end('fine');
      },
    );

    const answer = await http.ask('/');

    expect([answer.status, answer.cache, answer.text, runs]).to.deep.equal([
      200,
      'SKIP',
      'fine',
      1,
    ]);
    expect(errors.length).to.equal(1);
    expect(http.manager.cache('http').statistics().sets).to.equal(0);
  });

  it('does not let a failing decision break the response', async () => {
    const errors: string[] = [];
    http.manager.on('error', ({ error }) => void errors.push(error.message));
    const tags = (): never => {
      throw new Error('no tags');
    };
    http.app.get(
      '/',
      httpCache({ manager: http.manager, ttl: '1m', tags }),
      (_req, res) => void res.send('fine'),
    );

    const answer = await http.ask('/');

    expect([answer.status, answer.cache, answer.text]).to.deep.equal([200, 'SKIP', 'fine']);
    expect(errors).to.have.length(1);
    expect(errors[0]).to.include('no tags');
  });

  it('passes requests by after the manager was closed', async () => {
    const own = await HttpFixture.start();
    try {
      await own.manager.close();
      own.app.get('/', httpCache({ manager: own.manager, ttl: '1m', debug: true }), (_req, res) => {
        res.send('fine');
      });
      const answer = await own.ask('/');
      expect([answer.status, answer.reason, answer.text]).to.deep.equal([200, 'disabled', 'fine']);
    } finally {
      await own.stop();
    }
  });
});
