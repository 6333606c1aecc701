import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { argumentsKey, isHashedKey, keyText, type KeyPart } from '#internal/cache/cache-key.js';
import { compilePattern, escapeGlob } from '#internal/cache/key-pattern.js';
import { ArgumentTrees } from '../support/argument-trees.js';
import { sameArguments } from '../support/same-arguments.js';

/** Give CACHE_KEY_SEED to repeat a run. */
const seed = Number(process.env['CACHE_KEY_SEED'] ?? Date.now() % 2 ** 32);
const PAIRS = 1_000_000;

const ALPHABET = /^[-.\w!#$&+;/@,=%:~'()]*$/;

const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom(...Array.from(`:,=()%'@~*?[\\^n-.e0149aé😀\ud83d `)),
    maxLength: 8,
  }),
  fc.string({ unit: 'binary' }),
  fc.double().map(String),
  fc.bigInt().map((value) => `${value}n`),
);

const keyPart: fc.Arbitrary<KeyPart> = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.date({ noInvalidDate: true }),
);

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    keyPart,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.sparseArray(tie('tree'), { maxLength: 4 }),
    fc.dictionary(text, tie('tree'), { maxKeys: 4 }),
    fc
      .array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 3 })
      .map((entries) => new Map(entries)),
    fc.array(tie('tree'), { maxLength: 4 }).map((members) => new Set(members)),
    fc.uint8Array(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.float32Array(),
    fc.bigInt64Array(),
    fc.uint8Array().map((bytes) => new DataView(bytes.buffer)),
  ),
}));

const args = fc.array(tree, { maxLength: 3 });

describe('Keys of random arguments', () => {
  it('are equal exactly when the arguments are', () => {
    fc.assert(
      fc.property(args, args, (left, right) => {
        expect(argumentsKey(left) === argumentsKey(right)).to.equal(sameArguments(left, right));
      }),
      { numRuns: 2000 },
    );
  });

  it('tell arguments from any change of them, and not from a copy in another order', () => {
    fc.assert(
      fc.property(args, fc.integer(), (original, chance) => {
        const trees = new ArgumentTrees(chance);
        const changed = trees.mutate(original);
        const key = argumentsKey(original);
        expect(argumentsKey(trees.copy(original))).to.equal(key);
        expect(argumentsKey(changed) === key).to.equal(sameArguments(changed, original));
      }),
      { numRuns: 2000 },
    );
  });

  it('stay within the alphabet and the length', () => {
    fc.assert(
      fc.property(args, (original) => {
        const key = argumentsKey(original);
        expect(key).to.match(ALPHABET).and.not.equal('');
        expect(key.length).to.be.at.most(200);
        expect(isHashedKey(key)).to.equal(key.includes('~'));
      }),
      { numRuns: 2000 },
    );
  });

  it('are those of the same key parts given as a tuple', () => {
    fc.assert(
      fc.property(fc.array(keyPart, { maxLength: 4 }), (parts) => {
        expect(argumentsKey(parts)).to.equal(keyText(parts));
        if (parts.length === 1) expect(keyText(parts[0])).to.equal(keyText(parts));
      }),
      { numRuns: 2000 },
    );
  });

  it(`never collide in ${PAIRS} random pairs (CACHE_KEY_SEED=${seed})`, function () {
    this.timeout(120_000);
    const trees = new ArgumentTrees(seed);
    const known = new Map<string, KeyedArguments>();
    let previous = keyed(trees.arguments());
    let distinct = 0;
    const compare = (left: KeyedArguments, right: KeyedArguments): void => {
      const isSame = sameArguments(left.args, right.args);
      if (!isSame) distinct++;
      if ((left.key === right.key) === isSame) return;
      const kind = isSame ? 'equal' : 'distinct';
      expect.fail(`${show(left)} and ${show(right)} are ${kind} arguments with their keys`);
    };
    for (let round = 0; distinct < PAIRS; round++) {
      const current = keyed(trees.arguments());
      // A near miss, something independent, now and then an equal one, and whatever had this key before.
      compare(current, keyed(trees.mutate(current.args)));
      compare(current, previous);
      if (round % 8 === 0) compare(current, keyed(trees.copy(current.args)));
      const earlier = known.get(current.key);
      if (earlier !== undefined) compare(current, earlier);
      else if (known.size < 50_000) known.set(current.key, current);
      previous = current;
    }
  });
});

interface KeyedArguments {
  readonly args: readonly unknown[];
  readonly key: string;
}

function keyed(args: readonly unknown[]): KeyedArguments {
  return { args, key: argumentsKey(args) };
}

function show({ args, key }: KeyedArguments): string {
  return `${inspect(args, { depth: 9 })} (${key})`;
}

describe('Patterns on random keys', () => {
  it('match a key by its own text, and by escaped text in place of a part', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (parts) => {
        const key = keyText(parts);
        expect(compilePattern(key).matches(key)).to.equal(true);
        const segments = parts.map(escapeGlob).join(':');
        expect(segments).to.match(ALPHABET);
        if (segments !== '') expect(compilePattern(segments).matches(segments)).to.equal(true);
      }),
    );
  });

  it('agree with a regular expression', () => {
    const glob = fc.string({
      unit: fc.constantFrom(...Array.from('ab:*?')),
      minLength: 1,
      maxLength: 8,
    });
    const key = fc.string({ unit: fc.constantFrom(...Array.from('ab:')), maxLength: 10 });
    fc.assert(
      fc.property(glob, key, (pattern, candidate) => {
        const source = pattern.replaceAll('*', '[^]*').replaceAll('?', '[^]');
        const expected = new RegExp(`^${source}$`).test(candidate);
        expect(compilePattern(pattern).matches(candidate)).to.equal(expected);
      }),
      { numRuns: 5000 },
    );
  });

  it('drop a long key whenever they match the text that its hash stands for', () => {
    const unit = fc.constantFrom(...Array.from('aaab'));
    const part = fc.string({ unit, maxLength: 150, size: 'max' });
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 2, maxLength: 4 }),
        fc.nat(),
        fc.nat(),
        (parts, from, to) => {
          const whole = parts.map((each) => each || 'a').join(':');
          const start = from % whole.length;
          const pattern = compilePattern(
            `${whole.slice(0, start)}*${whole.slice(start + (to % (whole.length - start)))}`,
          );
          const key = keyText(parts.map((each) => each || 'a'));
          expect(pattern.matches(key)).to.equal(true);
          expect(key.startsWith(pattern.literalPrefix)).to.equal(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
