/** The middle of a list of numbers; the mean of the two in the middle where there is no one. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The mean of ratios: it weighs "twice" and "half" alike. */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

/** Median, smallest and largest of what the rounds gave. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Sums up what the rounds gave. */
export function spreadOf(numbers: readonly number[]): Spread {
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * How one subject compares with another: the median of the ratios of each round. Both halves of such a ratio were
 * measured within the same second, so that a slow second changes neither.
 */
export function pairedRatio(numbers: readonly number[], base: readonly number[]): number {
  return median(numbers.map((number, round) => number / base[round]!));
}

/** How much one subject takes beyond another: the differences of each round, for the same reason. */
export function pairedDifferences(
  numbers: readonly number[],
  base: readonly number[],
): readonly number[] {
  return numbers.map((number, round) => number - base[round]!);
}

/** The value below which a share of the sorted numbers lies. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
