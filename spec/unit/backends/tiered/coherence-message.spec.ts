import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeMessage,
  encodeMessage,
  spaceId,
  type MessageBody,
} from '#internal/backends/tiered/coherence-message.js';

const space = spaceId({ name: 'users', version: '1' });

const BODIES: readonly MessageBody[] = [
  { kind: 'keys', space, keys: ['a', 'à🎉', ''] },
  { kind: 'entry', space, key: 'à🎉' },
  { kind: 'pattern', space, glob: 'user:*' },
  { kind: 'clear', space },
  { kind: 'clearAll' },
  { kind: 'tags', selection: { anyOf: ['blue'] } },
  { kind: 'tags', selection: { allOf: ['blue', 'red'] } },
  { kind: 'beat', intervalMs: 500 },
  { kind: 'bye' },
];

/** Texts that no release has sent: damaged ones, foreign ones, those of a later protocol. */
const UNREADABLE: readonly string[] = [
  '',
  'null',
  '{}',
  '"text"',
  '[]',
  '[1,"s",1,0',
  '[2,"s",1,0,"b"]',
  '[1,7,1,0,"b"]',
  '[1,"s",0,0,"b"]',
  '[1,"s",1,-1,"b"]',
  '[1,"s",1,1.5,"b"]',
  '[1,"s","1",0,"b"]',
  '[1,"s",1,0]',
  '[1,"s",1,0,"?"]',
  '[1,"s",1,0,"k","space"]',
  '[1,"s",1,0,"k","space",[1]]',
  '[1,"s",1,0,"k",1,["a"]]',
  '[1,"s",1,0,"e","space"]',
  '[1,"s",1,0,"e","space",["a"]]',
  '[1,"s",1,0,"p","space"]',
  '[1,"s",1,0,"c"]',
  '[1,"s",1,0,"t","blue"]',
  '[1,"s",1,0,"T",[null]]',
  '[1,"s",1,0,"h"]',
  '[1,"s",1,0,"h",0]',
];

describe('Messages between tiered backends', () => {
  for (const body of BODIES) {
    it(`come out as they went in: ${JSON.stringify(body)}`, () => {
      const message = { sender: 'some-id', epoch: 3, number: 17, body };
      expect(decodeMessage(encodeMessage(message))).to.deep.equal(message);
    });
  }

  it('keep any keys', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.string(), (keys, name) => {
        const body = { kind: 'keys', space: spaceId({ name, version: '1' }), keys } as const;
        const message = { sender: 's', epoch: 1, number: 0, body };
        expect(decodeMessage(encodeMessage(message))).to.deep.equal(message);
      }),
    );
  });

  it('name caches so that no two share a name', () => {
    expect(spaceId({ name: 'a', version: 'b:c' })).to.not.equal(
      spaceId({ name: 'a:b', version: 'c' }),
    );
  });

  for (const text of UNREADABLE) {
    it(`are none when they read ${text === '' ? 'nothing' : text}`, () => {
      expect(decodeMessage(text)).to.equal(undefined);
    });
  }

  it('never make the reader throw', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(fc.jsonValue()).map((each) => JSON.stringify(each)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        decodeMessage(text);
      }),
    );
  });
});
