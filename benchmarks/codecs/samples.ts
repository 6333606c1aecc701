import { seededRandom, type RandomSource } from '../support/random.js';

/** Values of one kind, measured together. */
export interface Sample {
  readonly name: string;
  readonly description: string;
  readonly values: readonly unknown[];
  /** What the reader should know about where the values come from. */
  readonly warnings?: readonly string[];
}

const NAMES = [
  'Ada',
  'Grace',
  'Alan',
  'Edsger',
  'Barbara',
  'Donald',
  'Radia',
  'Leslie',
  'Zoë',
  'Søren',
];
const TOWNS = [
  'Lisboa',
  'Kraków',
  'Zürich',
  'Nantes',
  'Oulu',
  'Bergen',
  'Porto',
  'Graz',
  'Ghent',
  'Turku',
];
const STATES = ['new', 'paid', 'packed', 'sent', 'returned'];
const WORDS =
  'the of and to in is that it was for on are as with they be at one have this from by hot word but what some we can ' +
  'out other were all there when up use your how said an each she which do their time if will way about many then ' +
  'them write would like so these her long make thing see him two has look more day could go come did number sound';

/** The built-in samples. Each is made from a seed of its own, so they are the same everywhere and in every run. */
export function builtInSamples(): readonly Sample[] {
  return [
    {
      name: 'user',
      description: '100 small user records',
      values: list(100, seededRandom(1), (random, id) => user(random, id)),
    },
    {
      name: 'order',
      description: '40 orders of about 1 kB, nested',
      values: list(40, seededRandom(2), order),
    },
    {
      name: 'rows',
      description: '4 lists of 60 equal rows, such as a query gives',
      values: list(4, seededRandom(3), (random) => rows(random, 60)),
    },
    {
      name: 'text',
      description: '4 documents of about 12 kB of prose',
      values: list(4, seededRandom(4), article),
    },
    {
      name: 'series',
      description: '4 series of 500 measured numbers with their times',
      values: list(4, seededRandom(5), series),
    },
    {
      name: 'rich',
      description: '24 records with Date, Map, Set, Buffer, undefined; every third with a BigInt',
      values: list(24, seededRandom(6), rich),
    },
    {
      name: 'random',
      description: '4 lists of 300 tokens, which hold no pattern',
      values: list(4, seededRandom(7), (random) => tokens(random, 300)),
    },
    {
      name: 'rows-1mb',
      description: 'a list of 5,000 equal rows, about 1 MB',
      values: [rows(seededRandom(8), 5000)],
    },
    {
      name: 'random-1mb',
      description: 'a list of 16,000 tokens, about 1 MB',
      values: [tokens(seededRandom(9), 16_000)],
    },
  ];
}

function list<Value>(
  length: number,
  random: RandomSource,
  make: (random: RandomSource, index: number) => Value,
): readonly Value[] {
  return Array.from({ length }, (_, index) => make(random, index + 1));
}

function time(random: RandomSource): number {
  return Date.UTC(2024, 0, 1) + random.integer(0, 600 * 86_400) * 1000;
}

function user(random: RandomSource, id: number): object {
  const name = `${random.pick(NAMES)} ${random.pick(TOWNS)}`;
  return {
    id,
    name,
    email: `user${random.integer(1, 99_999)}@example.org`,
    roles: random.next() < 0.1 ? ['member', 'admin'] : ['member'],
    active: random.next() < 0.9,
    lastSeenAt: new Date(time(random)).toISOString(),
  };
}

function order(random: RandomSource, id: number): object {
  return {
    id: `ord_${random.bytes(8).toString('hex')}`,
    number: 100_000 + id,
    state: random.pick(STATES),
    customer: user(random, random.integer(1, 9999)),
    address: {
      street: `${random.pick(NAMES)} Street ${random.integer(1, 200)}`,
      town: random.pick(TOWNS),
      postcode: `${random.integer(10_000, 99_999)}`,
      country: 'PT',
    },
    lines: list(6, random, (_, line) => ({
      line,
      sku: `SKU-${random.integer(1000, 9999)}-${random.pick(['S', 'M', 'L'])}`,
      title: sentence(random, 4),
      quantity: random.integer(1, 5),
      priceCents: random.integer(199, 49_999),
      discount: random.next() < 0.3 ? Math.round(random.next() * 30) / 100 : null,
    })),
    createdAt: new Date(time(random)).toISOString(),
  };
}

function rows(random: RandomSource, length: number): readonly object[] {
  return list(length, random, (_, id) => ({
    id,
    sku: `SKU-${random.integer(1000, 9999)}`,
    title: sentence(random, random.integer(2, 6)),
    town: random.pick(TOWNS),
    state: random.pick(STATES),
    priceCents: random.integer(199, 49_999),
    weightKg: Math.round(random.next() * 10_000) / 1000,
    inStock: random.next() < 0.8,
    supplierId: random.next() < 0.1 ? null : random.integer(1, 400),
    updatedAt: new Date(time(random)).toISOString(),
    rating: Math.round(random.next() * 50) / 10,
  }));
}

function sentence(random: RandomSource, words: number): string {
  const all = WORDS.split(' ');
  // Squared, so that the first words are the frequent ones, as in prose.
  return list(words, random, () => all[Math.floor(random.next() ** 2 * all.length)]!).join(' ');
}

function article(random: RandomSource, id: number): object {
  const paragraphs = list(27, random, () =>
    list(8, random, () => `${sentence(random, random.integer(8, 18))}.`).join(' '),
  );
  return { id, title: sentence(random, 6), language: 'en', body: paragraphs.join('\n\n') };
}

function series(random: RandomSource, id: number): object {
  let at = time(random);
  let value = random.next() * 100;
  const points = list(500, random, () => {
    at += random.integer(900, 1100);
    value += random.next() - 0.5;
    return [at, value];
  });
  return { sensor: `sensor-${id}`, unit: 'kWh', points };
}

function rich(random: RandomSource, id: number): object {
  const address = { town: random.pick(TOWNS), since: new Date(time(random)) };
  return {
    id,
    name: random.pick(NAMES),
    createdAt: new Date(time(random)),
    deletedAt: undefined,
    permissions: new Map(
      list(8, random, (_, key) => [`resource-${key}`, random.integer(0, 7)] as const),
    ),
    tags: new Set(list(3, random, () => random.pick(STATES))),
    avatar: random.bytes(96),
    score: random.next() < 0.2 ? NaN : random.next() * 100,
    limit: Infinity,
    home: address,
    billing: address,
    ...(id % 3 === 0 ? { balance: BigInt(random.integer(1, 1e9)) * 10_000_000_000n } : {}),
  };
}

function tokens(random: RandomSource, length: number): readonly string[] {
  return list(length, random, () => random.bytes(45).toString('base64url'));
}
