import { expect } from 'chai';
import fc from 'fast-check';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import { readStored } from '#internal/http/read-stored.js';
import { AT_T0, get, response, stored, storedHead } from '../../support/http-messages.js';

/** Everything that a record of the policy can hold. */
const SOUND = stored({
  headers: [
    'Content-Type',
    'text/plain',
    'X-Two',
    'a',
    'x-two',
    'b\u00fc\t',
    'Content-Length',
    '10',
  ],
  vary: ['accept', 'foo'],
  selecting: ['', '=1'],
  flags: 127,
});

describe('readStored', () => {
  it('gives back a sound record itself', () => expect(readStored(SOUND)).to.equal(SOUND));

  it('takes what the policy makes', () => {
    const policy = new HttpCachePolicy({ profile: 'rfc9111' });
    const fields = {
      'cache-control': 'max-age=9999999999',
      vary: 'b, a',
      age: '5',
      'set-cookie': ['a', 'b'],
    };
    const decision = policy.storage(policy.request(get({ a: 'x' })), response(fields), AT_T0);
    const record = decision.store ? { ...decision.head, body: Buffer.from('') } : undefined;
    expect(record).not.to.equal(undefined);
    expect(readStored(record)).to.equal(record);
  });

  it('takes a record with properties that it does not know', () => {
    expect(readStored({ ...SOUND, later: true })).not.to.equal(undefined);
  });

  const TAMPERED: Readonly<Record<string, unknown>> = {
    nothing: undefined,
    null: null,
    'a text': 'HTTP/1.1 200 OK',
    'a list': [SOUND],
    'an older form': { ...SOUND, v: 0 },
    'a newer form': { ...SOUND, v: 2 },
    'a version as text': { ...SOUND, v: '1' },
    'status 99': { ...SOUND, status: 99 },
    'status 101': { ...SOUND, status: 101 },
    'status 304': { ...SOUND, status: 304 },
    'status 600': { ...SOUND, status: 600 },
    'a broken status': { ...SOUND, status: 200.5 },
    'a status as text': { ...SOUND, status: '200' },
    'a body as text': { ...SOUND, body: '0123456789' },
    'a body as list': { ...SOUND, body: [1, 2, 3] },
    'no body': { ...storedHead() },
    'a 204 with a body': { ...stored({ status: 204 }) },
    'fields as an object': { ...SOUND, headers: { a: 'b' } },
    'an odd field list': { ...SOUND, headers: ['a'] },
    'a number as value': { ...SOUND, headers: ['a', 1] },
    'a list as name': { ...SOUND, headers: [['a'], 'b'] },
    'a line break in a value': { ...SOUND, headers: ['a', 'b\r\nset-cookie: c=d'] },
    'a line feed in a value': { ...SOUND, headers: ['a', 'b\n'] },
    'a line break in a name': { ...SOUND, headers: ['a\r\nb', 'c'] },
    'a NUL in a value': { ...SOUND, headers: ['a', '\0'] },
    'a character beyond a byte': { ...SOUND, headers: ['a', '\u0100'] },
    'a blank in a name': { ...SOUND, headers: ['a b', 'c'] },
    'an empty name': { ...SOUND, headers: ['', 'c'] },
    'Transfer-Encoding': { ...SOUND, headers: ['Transfer-Encoding', 'chunked'] },
    Connection: { ...SOUND, headers: ['CONNECTION', 'close'] },
    'a short Content-Length': { ...SOUND, headers: ['Content-Length', '9'] },
    'a long Content-Length': { ...SOUND, headers: ['content-length', '11'] },
    'a second Content-Length': {
      ...SOUND,
      headers: ['content-length', '10', 'Content-Length', '3'],
    },
    'a negative age': { ...SOUND, initialAgeMs: -1 },
    'an endless lifetime': { ...SOUND, freshMs: Infinity },
    'a lifetime that is no number': { ...SOUND, freshMs: NaN },
    'a time as text': { ...SOUND, respondedAt: '0' },
    'a time that no date can have': { ...SOUND, requestedAt: 9e15 },
    'a window that is missing': { ...SOUND, staleIfErrorMs: undefined },
    'an unknown flag': { ...SOUND, flags: 128 },
    'negative flags': { ...SOUND, flags: -1 },
    'more names than values': { ...SOUND, vary: ['a', 'b', 'c'] },
    'names in disorder': { ...SOUND, vary: ['foo', 'accept'] },
    'a name twice': { ...SOUND, vary: ['foo', 'foo'] },
    'a name in upper case': { ...SOUND, vary: ['Accept', 'foo'] },
    'a star': { ...SOUND, vary: ['*', 'foo'] },
    'a value that is no text': { ...SOUND, selecting: ['', 1] },
    'names that are no list': { ...SOUND, vary: 'ab', selecting: 'cd' },
  };
  for (const [name, value] of Object.entries(TAMPERED)) {
    it(`refuses ${name}`, () => expect(readStored(value)).to.equal(undefined));
  }

  it('never throws, and lets pass nothing that Node would refuse to send', () => {
    const keys = Object.keys(SOUND);
    const junk = fc.oneof(
      fc.anything(),
      fc.string({ unit: 'binary' }),
      fc.array(fc.string({ unit: 'binary' })),
    );
    fc.assert(
      fc.property(fc.constantFrom(...keys), junk, (key, value) => {
        const record = readStored({ ...SOUND, [key]: value });
        if (record === undefined) return;
        expect(record.status).to.be.within(200, 599);
        expect(record.headers.join('')).to.match(/^[\t\x20-\x7e\x80-\xff]*$/);
        expect(record.body).to.be.instanceOf(Uint8Array);
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(fc.anything({ withBoxedValues: true, withNullPrototype: true }), (value) => {
        expect(readStored(value)).to.equal(undefined);
      }),
    );
  });
});
