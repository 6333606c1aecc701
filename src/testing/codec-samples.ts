/** A value to try a codec with. */
export interface CodecSample {
  readonly title: string;
  /** Makes it anew each time, so that no test sees another's changes. */
  readonly make: () => unknown;
}

const cyclic = (): unknown => {
  const self: Record<string, unknown> = { name: 'self' };
  self['self'] = self;
  return self;
};

/** What every codec has to carry: what JSON carries. */
export const PLAIN_SAMPLES: readonly CodecSample[] = [
  { title: 'null', make: () => null },
  { title: 'false', make: () => false },
  { title: 'zero', make: () => 0 },
  { title: 'numbers', make: () => [1, -1, 0.1, 1e300, 5e-324, 2 ** 53, -(2 ** 31), 2 ** 32] },
  { title: 'the empty text', make: () => '' },
  { title: 'texts', make: () => ['ü', '日本', '😀', '\u0000', '\u2028', 'a'.repeat(5000)] },
  { title: 'an empty array', make: () => [] },
  { title: 'an empty object', make: () => ({}) },
  { title: 'rows', make: () => Array.from({ length: 20 }, (_, id) => ({ id, name: `n${id}` })) },
  { title: 'rows of many shapes', make: manyShapes },
];

/** What a codec may carry or refuse, but not change. */
export const RICH_SAMPLES: readonly CodecSample[] = [
  { title: 'undefined', make: () => undefined },
  { title: 'a property that is undefined', make: () => ({ a: undefined }) },
  { title: 'NaN and the infinities', make: () => [NaN, Infinity, -Infinity] },
  { title: 'minus zero', make: () => [-0, { a: -0 }] },
  { title: 'bigints', make: () => [0n, -1n, 2n ** 63n, 2n ** 64n, -(3n ** 100n)] },
  { title: 'a date', make: () => new Date(1_700_000_000_123) },
  { title: 'dates at the ends of time', make: () => [new Date(-8.64e15), new Date(8.64e15)] },
  { title: 'an invalid date', make: () => new Date(NaN) },
  { title: 'a map', make: () => new Map<unknown, unknown>([[{ a: 1 }, new Map([[1, '1']])]]) },
  { title: 'a set', make: () => new Set([1, '1', [1]]) },
  { title: 'a Buffer', make: () => Buffer.from([0, 1, 255]) },
  { title: 'a Uint8Array', make: () => new Uint8Array([0, 1, 255]) },
  { title: 'typed arrays', make: () => [new Float64Array([1, NaN]), new BigInt64Array([-1n])] },
  { title: 'an ArrayBuffer', make: () => new Uint8Array([1, 2]).buffer },
  { title: 'a DataView', make: () => new DataView(new ArrayBuffer(3)) },
  { title: 'an array with holes', make: () => Object.assign([], { 2: 1, length: 5 }) },
  { title: 'an array with an extra property', make: () => Object.assign([1], { extra: 2 }) },
  { title: 'a cycle', make: cyclic },
  {
    title: 'a property named __proto__',
    make: () => JSON.parse('{"__proto__":{"a":1}}') as unknown,
  },
  {
    title: 'an object without prototype',
    make: () => Object.assign(Object.create(null), { a: 1 }) as unknown,
  },
  { title: 'half a surrogate pair', make: () => ['\ud800', { '\udc00': 'a\ud83d' }] },
  { title: 'a long text with a byte order mark', make: () => `\ufeff${'a'.repeat(100)}` },
  {
    title: 'texts that look like tags',
    make: () => ['~', '~u', ['~#map', 1], '$date', '__proto__'],
  },
  { title: 'a regular expression', make: () => /a\/b/gi },
  { title: 'a URL', make: () => new URL('https://example.org/?a=b#c') },
  { title: 'a symbol as a property name', make: () => ({ [Symbol('a')]: 1 }) },
  { title: 'a hidden property', make: () => Object.defineProperty({}, 'a', { value: 1 }) },
  { title: 'a Buffer with an extra property', make: () => Object.assign(Buffer.of(1), { a: 1 }) },
];

/** What no codec can carry. */
export const IMPOSSIBLE_SAMPLES: readonly CodecSample[] = [
  { title: 'a function', make: () => ({ items: [{ save: () => 1 }] }) },
  { title: 'a symbol', make: () => [Symbol('a')] },
  { title: 'a promise', make: () => Promise.resolve(1) },
  { title: 'a WeakMap', make: () => new WeakMap() },
  {
    title: 'an instance of a class',
    make: () =>
      new (class Account {
        balance = 1;
      })(),
  },
  { title: 'an instance of a subclass of Map', make: () => new (class Cache extends Map {})() },
];

/** More shapes than a codec that numbers them has numbers of one byte. */
function manyShapes(): unknown {
  return Array.from({ length: 300 }, (_, index) => ({
    [`a${index % 90}`]: index,
    b: { [`c${index % 70}`]: 1 },
  }));
}
