import { createRequire } from 'node:module';
import { expect } from 'chai';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import { at, date, get, response, T0 } from '../../support/http-messages.js';

/** The part of `http-cache-semantics` that is compared; the package has no types. */
interface CacheSemantics {
  storable(): boolean;
  timeToLive(): number;
  toObject(): unknown;
}
type CacheSemanticsClass = new (
  request: object,
  response: object,
  options: object,
) => CacheSemantics;

const OtherPolicy = createRequire(import.meta.url)('http-cache-semantics') as CacheSemanticsClass;

/**
 * The package that most Node caches build on was weighed and is not used. It differs where it matters: it compares directives byte by byte, so
 * that a private response in capitals is shared; it reads dates with the platform's own parser; and where a response has a
 * `Vary`, its record keeps every field of the request, the credentials among them. It also knows neither targeted fields nor ranges, and re-reads its directives at
 * each decision. These rows hold as long as the reasons do.
 */
describe('http-cache-semantics, which is not used', () => {
  function verdicts(headers: Readonly<Record<string, string>>): { other: boolean; ours: boolean } {
    const request = { method: 'GET', url: '/', headers: {} };
    const other = new OtherPolicy(request, { status: 200, headers }, { shared: true });
    const policy = new HttpCachePolicy({ profile: 'rfc9111' });
    const plan = policy.request(get());
    const decision = policy.storage(plan, response(headers), at(T0));
    return {
      other: other.storable() && other.timeToLive() > 0,
      ours: decision.store && decision.freshForMs > 0,
    };
  }

  const fresh = { date: new Date().toUTCString() };

  describe('agrees on', () => {
    const ROWS: readonly (readonly [string, Record<string, string>, boolean])[] = [
      ['max-age', { 'cache-control': 'max-age=60' }, true],
      ['s-maxage over max-age', { 'cache-control': 's-maxage=60, max-age=0' }, true],
      ['private', { 'cache-control': 'private, max-age=60' }, false],
      ['no-store', { 'cache-control': 'no-store, max-age=60' }, false],
      ['no-cache', { 'cache-control': 'no-cache, max-age=60' }, false],
      ['an Age above max-age', { 'cache-control': 'max-age=60', age: '61' }, false],
      ['nothing', {}, false],
    ];
    for (const [name, headers, expected] of ROWS) {
      it(name, () => {
        expect(verdicts({ ...fresh, ...headers })).to.deep.equal({
          other: expected,
          ours: expected,
        });
      });
    }
  });

  describe('shares what must not be shared:', () => {
    for (const text of [
      'PRIVATE, max-age=60',
      'private="", max-age=60',
      'No-Store, max-age=60',
      'max-age=60; private',
      'max-age=60, ext="x", Private',
    ]) {
      it(text, () => {
        expect(verdicts({ ...fresh, 'cache-control': text })).to.deep.equal({
          other: true,
          ours: false,
        });
      });
    }
  });

  it('takes for a date what is none', () => {
    const headers = { expires: 'Thu, 18 Aug 2050 2:01:18 UTC', date: date(0) };
    expect(verdicts(headers)).to.deep.equal({ other: true, ours: false });
  });

  it('does not know the control that is meant for it', () => {
    const headers = { ...fresh, 'cache-control': 'max-age=60', 'cdn-cache-control': 'no-store' };
    expect(verdicts(headers)).to.deep.equal({ other: true, ours: false });
  });

  it('keeps the credentials of whoever came first', () => {
    const headers = { ...fresh, 'cache-control': 'public, max-age=60', vary: 'foo, cookie' };
    const fields = {
      cookie: 'session=hunter2',
      authorization: 'Bearer hunter2',
      'x-other': 'hunter2',
    };
    const other = new OtherPolicy(
      { method: 'GET', url: '/', headers: fields },
      { status: 200, headers },
      {},
    );
    expect(JSON.stringify(other.toObject()).match(/hunter2/g)).to.have.length(3);
    const policy = new HttpCachePolicy({ profile: 'rfc9111' });
    const decision = policy.storage(policy.request(get(fields)), response(headers), at(T0));
    expect(decision.store).to.equal(true);
    expect(JSON.stringify(decision)).not.to.contain('hunter2');
  });
});
