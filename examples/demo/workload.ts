/** One step of the workload. */
export type Step =
  | { readonly kind: 'find'; readonly id: number }
  | { readonly kind: 'largest'; readonly country: string }
  | { readonly kind: 'setPopulation'; readonly id: number; readonly population: number }
  | { readonly kind: 'rename'; readonly id: number; readonly name: string };

const COUNTRIES = [
  'CN',
  'IN',
  'US',
  'ID',
  'BR',
  'PK',
  'NG',
  'BD',
  'RU',
  'MX',
  'JP',
  'DE',
  'FR',
  'GB',
  'IT',
];

/**
 * A skewed stream of steps, the same for every run: reads of single cities by Zipf's law (the tenth city is read a
 * tenth as often as the first), some of lists, and in every fortieth step an update of a city that is read often.
 */
export function workload(ids: readonly number[], steps: number, seed = 20_000): readonly Step[] {
  const random = mulberry32(seed);
  const pick = zipf(ids.length, 0.9, random);
  return Array.from({ length: steps }, (_, index): Step => {
    const id = ids[pick()]!;
    if (index % 80 === 39) {
      return { kind: 'setPopulation', id, population: Math.floor(random() * 10_000_000) };
    }
    if (index % 80 === 79) return { kind: 'rename', id, name: `Renamed ${index}` };
    if (random() < 0.1) {
      return { kind: 'largest', country: COUNTRIES[Math.floor(random() * COUNTRIES.length)]! };
    }
    return { kind: 'find', id };
  });
}

/** Ranks from 0 to `count` - 1, drawn with probability proportional to 1 / (rank + 1) ** skew. */
function zipf(count: number, skew: number, random: () => number): () => number {
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    sum += 1 / (rank + 1) ** skew;
    cumulative[rank] = sum;
  }
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** A small seeded generator of numbers from 0 to 1 (mulberry32, Tommy Ettinger, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
