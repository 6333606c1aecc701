import { expect } from 'chai';
import fc from 'fast-check';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import type { FieldMap } from '#internal/http/http-message.js';
import { readStored } from '#internal/http/read-stored.js';
import { at, date, T0 } from '../../support/http-messages.js';

/** Texts that are sound in some field, nearly sound, or nothing at all. */
const VALUE = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      '*',
      '"a"',
      'W/"a"',
      '"a", "b"',
      date(0),
      date(-60),
      'max-age=60',
      'no-cache',
      'public, max-age=1',
      'bytes=0-1',
      'bytes=-0',
      'foo, accept-language',
      'de;q=0.5, en',
      'a b',
      'a=(1',
      '=;,"',
    ],
  ),
  fc.string({ maxLength: 12 }),
  // What Node lets through: bytes without control characters.
  fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code < 0x7f || code > 0x9f)
      .map((code) => String.fromCharCode(code)),
    maxLength: 12,
  }),
);
const LINES = fc.oneof(VALUE, fc.array(VALUE, { maxLength: 3 }));
const fields = (...names: readonly string[]): fc.Arbitrary<FieldMap> =>
  fc.dictionary(fc.constantFrom(...names), LINES, { maxKeys: 5 });

const REQUEST = fc.record({
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'X'),
  headers: fields(
    'cache-control',
    'if-none-match',
    'if-modified-since',
    'range',
    'if-range',
    'foo',
    'accept-language',
    'authorization',
    'cookie',
  ),
});
const RESPONSE = fc.record({
  status: fc.constantFrom(200, 200, 200, 204, 206, 301, 304, 404, 500, 599, 100),
  headers: fields(
    'cache-control',
    'cdn-cache-control',
    'expires',
    'date',
    'age',
    'vary',
    'etag',
    'last-modified',
    'content-range',
    'cache-groups',
    'surrogate-key',
    'connection',
    'set-cookie',
  ),
});
const PROFILE = fc.constantFrom('safe' as const, 'rfc9111' as const);

describe(HttpCachePolicy.name, () => {
  it('never throws, and keeps nothing that cannot be read back, whatever is said', () => {
    let served = 0;
    let freshened = 0;
    const body = Buffer.from('0123456789');
    fc.assert(
      fc.property(
        PROFILE,
        REQUEST,
        RESPONSE,
        REQUEST,
        RESPONSE,
        fc.nat(100_000),
        (profile, first, reply, second, next, ms) => {
          const policy = new HttpCachePolicy({
            profile,
            ttl: '1m',
            statuses: [200, 204, 206, 404],
          });
          const decision = policy.storage(policy.request(first), reply, at(T0));
          if (!decision.store) return;
          expect(decision.keepMs).to.be.greaterThan(0).and.at.least(decision.freshForMs);
          const record = { ...decision.head, body: reply.status === 204 ? Buffer.alloc(0) : body };
          // The generated texts may hold what Node would refuse; such a record is never made in earnest.
          const isSendable = record.headers.every((text) => /^[\t\x20-\x7e\x80-\xff]*$/.test(text));
          expect(readStored(record)).to.equal(isSendable ? record : undefined);

          const plan = policy.request(second);
          const now = T0 + ms;
          const reuse = policy.reuse(record, plan, now);
          if (plan.lookup && (reuse.kind === 'fresh' || reuse.kind === 'stale')) served++;
          if (reuse.kind === 'fresh') {
            expect(policy.ttlSeconds(record, now)).to.be.at.least(0);
            expect(ms).to.be.lessThan(decision.freshForMs);
          }
          expect(policy.ageSeconds(record, now)).to.be.at.least(0);
          const answer = policy.conditional(record, second);
          if (answer.kind === 'partial') {
            expect(answer.start).to.be.within(0, answer.end - 1);
            expect(answer.end).to.be.at.most(body.length);
          }
          const update = policy.freshen(record, plan, { ...next, status: 304 }, at(now));
          if (update.kind === 'updated') freshened++;
        },
      ),
      { numRuns: 5000 },
    );
    expect([served > 40, freshened > 40]).to.deep.equal([true, true]);
  });

  it('answers no request with credentials from what is not for it', () => {
    fc.assert(
      fc.property(REQUEST, RESPONSE, REQUEST, (first, reply, second) => {
        const policy = new HttpCachePolicy({ ttl: '1m' });
        const decision = policy.storage(policy.request(first), reply, at(T0));
        if (!decision.store) return;
        const has = (request: typeof first, name: string) => request.headers[name] !== undefined;
        const said = JSON.stringify(reply.headers);
        const { kind } = policy.reuse(decision.head, policy.request(second), T0);
        for (const request of [first, ...(kind === 'fresh' ? [second] : [])]) {
          if (has(request, 'authorization') || has(request, 'cookie'))
            expect(said).to.contain('public');
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('names its targeted fields in lower case', () => {
    const policy = new HttpCachePolicy({ targetedFields: ['CDN-Cache-Control'] });
    expect(policy.targetedFields).to.deep.equal(['cdn-cache-control']);
  });
});
