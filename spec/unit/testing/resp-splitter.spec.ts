import { expect } from 'chai';
import fc from 'fast-check';
import { pushedMessage } from '#internal/testing/pushed-message.js';
import { RespSplitter } from '#internal/testing/resp-splitter.js';

const REPLIES: readonly (readonly [what: string, text: string])[] = [
  ['a status', '+OK\r\n'],
  ['an error', '-ERR unknown\r\n'],
  ['an integer', ':-42\r\n'],
  ['a bulk', '$5\r\nhe\r\nl\r\n'],
  ['an empty bulk', '$0\r\n\r\n'],
  ['an absent bulk', '$-1\r\n'],
  ['an array', '*2\r\n$1\r\na\r\n:1\r\n'],
  ['an empty array', '*0\r\n'],
  ['an absent array', '*-1\r\n'],
  ['nested arrays', '*2\r\n*2\r\n*0\r\n$-1\r\n*1\r\n*1\r\n+a\r\n'],
  ['null', '_\r\n'],
  ['a truth', '#t\r\n'],
  ['a double', ',3.14\r\n'],
  ['a big number', '(123456789012345678901234567890\r\n'],
  ['a verbatim text', '=8\r\ntxt:a\r\nb\r\n'],
  ['a bulk error', '!3\r\nERR\r\n'],
  ['a map', '%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n'],
  ['a set', '~2\r\n+a\r\n+b\r\n'],
  ['a push', '>3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n'],
  ['an attribute with its reply', '|1\r\n+ttl\r\n:3600\r\n*1\r\n$1\r\na\r\n'],
];

describe(RespSplitter.name, () => {
  for (const [what, text] of REPLIES) {
    it(`takes ${what} as one frame, byte by byte`, () => {
      const splitter = new RespSplitter();
      const bytes = Buffer.from(text);
      const counts = [...bytes].map((_, at) => splitter.push(bytes.subarray(at, at + 1)).length);
      expect(counts).to.deep.equal([...counts.slice(0, -1).fill(0), 1]);
    });
  }

  it('gives the same frames however the stream is cut', () => {
    const stream = fc.array(fc.constantFrom(...REPLIES.map(([, text]) => text)), { minLength: 1 });
    fc.assert(
      fc.property(stream, fc.array(fc.nat({ max: 20 })), (texts, cuts) => {
        const bytes = Buffer.from(texts.join(''));
        const splitter = new RespSplitter();
        const frames: string[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          for (const frame of splitter.push(bytes.subarray(at, at + cut))) {
            expect(frame.type).to.equal(frame.bytes.toString().charAt(0));
            frames.push(frame.bytes.toString());
          }
          at += cut;
        }
        expect(frames).to.deep.equal(texts);
        expect(splitter.rest().length).to.equal(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps a large bulk together that comes in pieces', () => {
    const splitter = new RespSplitter();
    const payload = Buffer.alloc(1_000_000, '\n');
    const whole = Buffer.concat([Buffer.from('$1000000\r\n'), payload, Buffer.from('\r\n')]);
    let frames = 0;
    for (let at = 0; at < whole.length; at += 1000) {
      frames += splitter.push(whole.subarray(at, at + 1000)).length;
    }
    expect(frames).to.equal(1);
  });

  for (const text of ['HTTP/1.1 200 OK\r\n', '*x\r\n', '$-2\r\n', '\x16\x03\x01\n', '*?\r\n']) {
    it(`lets ${JSON.stringify(text)} through, because it is no RESP`, () => {
      const splitter = new RespSplitter();
      const all = [':1\r\n', text, '+OK\r\n'].flatMap((each) => splitter.push(Buffer.from(each)));
      expect(splitter.isOpaque).to.equal(true);
      expect(Buffer.concat(all.map(({ bytes }) => bytes)).toString()).to.equal(
        `:1\r\n${text}+OK\r\n`,
      );
    });
  }
});

describe(pushedMessage.name, () => {
  const messageIn = (text: string): unknown =>
    new RespSplitter().push(Buffer.from(text)).map(pushedMessage)[0];

  it('reads a message of RESP3', () => {
    expect(messageIn('>3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$3\r\n€\r\n')).to.deep.equal({
      kind: 'message',
      channel: 'ch',
      payload: '€',
    });
  });

  it('reads one of RESP2, of a sharded channel, and through a pattern', () => {
    expect(messageIn('*3\r\n$8\r\nsmessage\r\n$2\r\nch\r\n$0\r\n\r\n')).to.deep.equal({
      kind: 'smessage',
      channel: 'ch',
      payload: '',
    });
    expect(messageIn('*4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$2\r\nch\r\n$2\r\nhi\r\n')).to.deep.equal(
      { kind: 'pmessage', channel: 'ch', payload: 'hi' },
    );
  });

  for (const text of [
    '*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n',
    '*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n:1\r\n',
    '*4\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n',
    '$7\r\nmessage\r\n',
    '+message\r\n',
  ]) {
    it(`takes ${JSON.stringify(text)} for something else`, () => {
      expect(messageIn(text)).to.equal(undefined);
    });
  }
});
