import fc from 'fast-check';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  // Any sequence of UTF-16 units, halves of pairs included.
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
    .map((units) => String.fromCharCode(...units)),
  fc.string({ minLength: 60, maxLength: 140 }).map((rest) => `\ufeff${rest}`),
  fc.constantFrom(
    '~',
    '~~',
    '~u',
    '~#map',
    '~r0',
    '\u0000',
    '\ufeff',
    '😀',
    '\ud800',
    '__proto__',
    'constructor',
    'toJSON',
  ),
);

const propertyName = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('id', 'name', 'a', 'b', 'c', '0', '1', '10') },
  { weight: 2, arbitrary: text },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '__proto__',
      '__keys__',
      'constructor',
      'hasOwnProperty',
      'then',
      'length',
      '',
    ),
  },
);

const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    -0,
    NaN,
    Infinity,
    -Infinity,
    2 ** 53,
    -(2 ** 63),
    5e-324,
    1.7976931348623157e308,
    2 ** 31,
    2 ** 32,
  ),
);

const bigint = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.constantFrom(
    0n,
    -1n,
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    2n ** 64n - 1n,
    2n ** 64n,
    3n ** 500n,
  ),
);

const date = fc.oneof(
  fc.date({ noInvalidDate: true }),
  fc
    .constantFrom(
      8.64e15,
      -8.64e15,
      8639999999999999,
      -8639999999999999,
      0,
      -1,
      999,
      4294967296000,
      4294967295999,
    )
    .map((ms) => new Date(ms)),
);

const bytes = fc.uint8Array({ maxLength: 40 });

const binary = fc.oneof(
  bytes.map((each) => Buffer.from(each)),
  // A Buffer that is a view of a pool at an odd offset.
  bytes.map((each) => Buffer.concat([Buffer.of(1), Buffer.from(each)]).subarray(1)),
  bytes,
  bytes.map((each) => each.slice().buffer),
  bytes.map((each) => new DataView(each.slice().buffer)),
  bytes.map((each) => new Uint8ClampedArray(each)),
  fc.int8Array(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
);

const leaf = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 4, arbitrary: number },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, undefined, true, false) },
  { weight: 1, arbitrary: bigint },
  { weight: 1, arbitrary: date },
  { weight: 1, arbitrary: binary },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        () => /a+\/[b]/giu,
        () => new RegExp(''),
        () => new URL('https://example.org/a b?q=ü#x'),
      )
      .map((make) => make()),
  },
);

/** Makes some objects of a tree occur more than once, cycles included. */
const withSharing = (value: unknown, seed: number): unknown => {
  const objects: object[] = [];
  const collect = (each: unknown): void => {
    if (typeof each !== 'object' || each === null || objects.includes(each)) return;
    objects.push(each);
    if (Array.isArray(each)) each.forEach(collect);
    else if (each instanceof Map) for (const [k, v] of each) (collect(k), collect(v));
    else if (each instanceof Set) for (const item of each) collect(item);
    else if (isPlain(each)) Object.values(each).forEach(collect);
  };
  collect(value);
  if (objects.length === 0) return value;
  const pick = (n: number): object => objects[n % objects.length]!;
  const target = pick(seed);
  const source = pick(seed >>> 3);
  if (Array.isArray(target)) target.push(source);
  else if (target instanceof Map) target.set('again', source);
  else if (target instanceof Set) target.add(source);
  else if (isPlain(target))
    Object.defineProperty(target, 'again', {
      value: source,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  return value;
};

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function toObject(
  entries: readonly (readonly [string, unknown])[],
  prototype: object | null,
): object {
  const result = Object.create(prototype) as object;
  for (const [name, value] of entries) {
    Object.defineProperty(result, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return result;
}

function toSparse(elements: readonly unknown[], holes: readonly number[]): unknown[] {
  const result = [...elements];
  for (const hole of holes) if (hole < result.length) Reflect.deleteProperty(result, hole);
  if (holes.length > 1) result.length += holes.length;
  return result;
}

const tree = fc.letrec<{ value: unknown; entries: [string, unknown][] }>((tie) => ({
  entries: fc.array(fc.tuple(propertyName, tie('value')), { maxLength: 5 }) as fc.Arbitrary<
    [string, unknown][]
  >,
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'rich' },
    { weight: 5, arbitrary: leaf },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 5 }) },
    { weight: 4, arbitrary: tie('entries').map((entries) => toObject(entries, Object.prototype)) },
    { weight: 1, arbitrary: tie('entries').map((entries) => toObject(entries, null)) },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 })
        .map((entries) => new Map(entries)),
    },
    {
      weight: 1,
      arbitrary: fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.array(tie('value'), { maxLength: 5 }), fc.array(fc.nat(6), { maxLength: 3 }))
        .map(([elements, holes]) => toSparse(elements, holes)),
    },
  ),
}));

/** What msgpackr has to carry by itself: nothing in it makes `MsgpackCodec` fall back on JSON. */
export const nativeValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'native' },
    {
      weight: 5,
      arbitrary: fc.oneof(
        fc
          .string({ unit: 'grapheme', maxLength: 140 })
          .filter((each) => !each.startsWith('\ufeff')),
        number.filter((each) => !Object.is(each, -0)),
        fc.constantFrom(null, undefined, true, false),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
        date,
        binary,
      ),
    },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 20 }) },
    {
      weight: 4,
      arbitrary: fc.dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 3 }), tie('value'), {
        maxKeys: 20,
        noNullPrototype: true,
      }),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(tie('value'), tie('value')), { maxLength: 5 })
        .map((each) => new Map(each)),
    },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 5 }).map((each) => new Set(each)) },
  ),
})).value;

/** Any value that the codecs carry: every kind, nested, shared and cyclic. */
export const richValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: tree.value },
  {
    weight: 1,
    arbitrary: fc.tuple(tree.value, fc.nat()).map(([value, seed]) => withSharing(value, seed)),
  },
  // Rows of one shape, with optional properties: what records are made of.
  {
    weight: 1,
    arbitrary: fc.array(fc.dictionary(propertyName, leaf, { maxKeys: 6, noNullPrototype: true }), {
      maxLength: 12,
    }),
  },
);

/** What plain JSON carries exactly, as most cached values are. */
export const plainValue: fc.Arbitrary<unknown> = fc.jsonValue();
