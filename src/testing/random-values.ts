/** A source of whole numbers from 0 to 2^32 - 1 that gives the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Plain and not so plain values, the same for the same source. */
export function randomValue(random: () => number, depth = 0): unknown {
  const pick = random() % (depth > 3 ? 13 : 20);
  const several = <Value>(make: () => Value): Value[] => Array.from({ length: random() % 5 }, make);
  const inner = (): unknown => randomValue(random, depth + 1);
  switch (pick) {
    case 0:
      return null;
    case 1:
      return undefined;
    case 2:
      return random() % 2 === 0;
    case 3:
      return random() - 2 ** 31;
    case 4:
      return (random() - 2 ** 31) * 2 ** ((random() % 120) - 60);
    case 5:
      return [NaN, Infinity, -Infinity, -0, Number.MAX_SAFE_INTEGER, 5e-324][random() % 6];
    case 6:
      return (BigInt(random()) - 2n ** 31n) << BigInt(random() % 80);
    case 7:
      return new Date((random() - 2 ** 31) * 1000 + (random() % 1000));
    case 8:
      return Buffer.from(several(() => random() % 256));
    case 9:
      return new Float64Array(several(() => random() / 3));
    case 10:
      return String.fromCharCode(...several(() => random() % 0x10000));
    case 11:
    case 12:
      return `text ${random().toString(36)}`;
    case 13:
      return new Map(several(() => [inner(), inner()] as const));
    case 14:
      return new Set(several(inner));
    case 15:
    case 16:
      return several(inner);
    default:
      return Object.fromEntries(several(() => [`p${random() % 8}`, inner()] as const));
  }
}
