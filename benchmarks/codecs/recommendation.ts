import { geometricMean } from '../support/statistics.js';
import { figure } from '../support/table.js';
import type { Combination } from './combinations.js';
import type { Measurement, SampleResult } from './measurement.js';

/** What bytes and processor time cost. */
export interface CostModel {
  /** Of the way between the store and the process. */
  readonly bitsPerSecond: number;
  /** How often a value is read for each time that it is written. */
  readonly readsPerWrite: number;
}

/** The best combination for a sample, and why. */
export interface Recommendation {
  readonly combination: Combination;
  readonly reason: string;
}

/** Costs this close are equal: the simpler combination wins, and the next run may turn them round. */
const SAME_COST = 1.05;

/** The rule in words, for the report. */
export function costRule({ bitsPerSecond, readsPerWrite }: CostModel): string {
  return (
    `Cost per read = decode + transfer + (encode + transfer) / ${readsPerWrite}, where transfer = bytes / ` +
    `${bandwidthText(bitsPerSecond)} and a value is read ${readsPerWrite} times for each time it is written ` +
    '(--bandwidth, --reads). Recommended is the lowest cost among those that change nothing and refuse least; within ' +
    '5 % of it no compressor before a compressor, and json before msgpack, for they need no further package.'
  );
}

/** Microseconds per read; `NaN` when nothing was stored. */
export function costUs({ bytes, encodeUs, decodeUs }: Measurement, model: CostModel): number {
  const transferUs = (bytes * 8e6) / model.bitsPerSecond;
  return decodeUs.median + transferUs + (encodeUs.median + transferUs) / model.readsPerWrite;
}

/** The best combination for one sample; `undefined` when no combination takes any of its values. */
export function recommend(
  { measurements }: SampleResult,
  model: CostModel,
): Recommendation | undefined {
  const eligible = eligibleOf(measurements);
  const best = bestOf(eligible, (each) => costUs(each, model));
  if (best === undefined) return undefined;
  return { combination: best.combination, reason: reasonFor(best, eligible, measurements, model) };
}

/** The one combination that is best for all samples together: a manager has one. */
export function recommendForAll(
  results: readonly SampleResult[],
  model: CostModel,
): { readonly combination: Combination; readonly meanFactor: number } | undefined {
  const factors = new Map<Combination, number[]>();
  for (const { measurements } of results) {
    const eligible = eligibleOf(measurements);
    const lowest = Math.min(...eligible.map((each) => costUs(each, model)));
    for (const each of eligible) {
      const list = factors.get(each.combination) ?? [];
      list.push(costUs(each, model) / lowest);
      factors.set(each.combination, list);
    }
  }
  // One that is not eligible somewhere is none for all.
  const candidates = [...factors]
    .filter(([, list]) => list.length === results.length)
    .map(([combination, list]) => ({ combination, meanFactor: geometricMean(list) }));
  return bestOf(candidates, ({ meanFactor }) => meanFactor);
}

function eligibleOf(measurements: readonly Measurement[]): readonly Measurement[] {
  const exact = measurements.filter(
    ({ combination, fidelity, bytes }) =>
      !combination.isByHand && fidelity.changed === 0 && !Number.isNaN(bytes),
  );
  const leastRefused = Math.min(...exact.map(({ fidelity }) => fidelity.refused));
  return exact.filter(({ fidelity }) => fidelity.refused === leastRefused);
}

function bestOf<Candidate extends { readonly combination: Combination }>(
  candidates: readonly Candidate[],
  cost: (candidate: Candidate) => number,
): Candidate | undefined {
  const lowest = Math.min(...candidates.map(cost));
  return candidates
    .filter((each) => cost(each) <= lowest * SAME_COST)
    .sort((a, b) => complexity(a.combination) - complexity(b.combination) || cost(a) - cost(b))[0];
}

function complexity({ codec, compressor }: Combination): number {
  return (compressor === 'none' ? 0 : 2) + (codec === 'json' ? 0 : 1);
}

function reasonFor(
  best: Measurement,
  eligible: readonly Measurement[],
  all: readonly Measurement[],
  model: CostModel,
): string {
  const cost = costUs(best, model);
  const transferUs = (best.bytes * 8e6) / model.bitsPerSecond;
  const sentences = [
    `${figure(cost)} µs per read: decode ${figure(best.decodeUs.median)} + transfer ${figure(transferUs)} + ` +
      `(encode ${figure(best.encodeUs.median)} + transfer) / ${model.readsPerWrite}`,
  ];
  const plain = eligible.find(({ combination }) => isPlainJson(combination));
  if (plain !== undefined && plain !== best)
    sentences.push(`json alone costs ${compare(costUs(plain, model), cost)}`);
  const lowest = eligible.reduce((a, b) => (costUs(a, model) <= costUs(b, model) ? a : b));
  if (lowest !== best) {
    sentences.push(
      `${combinationName(lowest.combination)} is within 5 % of it (${figure(costUs(lowest, model))} µs)`,
    );
  }
  const smallest = eligible.reduce((a, b) => (a.bytes <= b.bytes ? a : b));
  if (smallest.bytes < best.bytes * 0.95) {
    sentences.push(
      `where memory is dearer than time: ${combinationName(smallest.combination)}, ${percentLess(smallest.bytes, best.bytes)} ` +
        `bytes for ${compare(costUs(smallest, model), cost)}`,
    );
  }
  const { fidelity } = best;
  if (fidelity.refused > 0) {
    const others = all.some(
      ({ combination, fidelity: other }) =>
        !combination.isByHand && other.refused > fidelity.refused,
    );
    sentences.push(
      `it refuses ${fidelity.refused} values, ${others ? 'fewer than others' : 'as all of them do'}`,
    );
  }
  return `${sentences.join('; ')}.`;
}

function isPlainJson({ codec, compressor }: Combination): boolean {
  return codec === 'json' && compressor === 'none';
}

function compare(cost: number, base: number): string {
  return `${figure(cost)} µs (${cost >= base ? '+' : '-'}${Math.abs((cost / base - 1) * 100).toFixed(0)} %)`;
}

function percentLess(bytes: number, base: number): string {
  return `${((1 - bytes / base) * 100).toFixed(0)} % fewer`;
}

/** Such as `msgpack + lz4`, or `json alone`. */
export function combinationName({ codec, compressor, isByHand }: Combination): string {
  if (isByHand) return codec;
  return compressor === 'none' ? `${codec} alone` : `${codec} + ${compressor}`;
}

/** Such as `1 Gbit/s`. */
export function bandwidthText(bitsPerSecond: number): string {
  return bitsPerSecond >= 1e9 ? `${bitsPerSecond / 1e9} Gbit/s` : `${bitsPerSecond / 1e6} Mbit/s`;
}
