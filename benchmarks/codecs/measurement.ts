import {
  measureInRounds,
  type RoundOptions,
  type Subject,
  type Timing,
} from '../support/rounds.js';
import { spreadOf, type Spread } from '../support/statistics.js';
import type { Combination, StoredBytes } from './combinations.js';
import { checkFidelity, type Fidelity } from './fidelity.js';
import type { Sample } from './samples.js';

/**
 * What a combination makes of a sample. Bytes and times are means over the values that it takes; times are processor
 * time, on whichever thread.
 */
export interface Measurement {
  readonly combination: Combination;
  readonly fidelity: Fidelity;
  /** `NaN` when it refuses every value, as are the other figures then. */
  readonly bytes: number;
  /** Of the bytes of {@link SampleResult.base}, over the same values. */
  readonly ratio: number;
  /** How many of the values were worth compressing. */
  readonly compressed: number;
  readonly encodeUs: Spread;
  readonly decodeUs: Spread;
}

/** A sample with what all combinations make of it. */
export interface SampleResult {
  readonly sample: Sample;
  /** What ratios refer to: JSON by hand, or, where that refuses a value, the first codec alone. */
  readonly base: Combination;
  readonly measurements: readonly Measurement[];
  /** Where the compressor has nothing to do, because no encoded value reaches the threshold: not measured. */
  readonly idle: readonly Combination[];
}

const NOTHING: Spread = { median: NaN, min: NaN, max: NaN };

/** Checks and measures all combinations on one sample. */
export async function measureSample(
  sample: Sample,
  candidates: readonly Combination[],
  thresholdBytes: number,
  rounds: RoundOptions,
): Promise<SampleResult> {
  const { values } = sample;
  const combinations: Combination[] = [];
  const fidelities: Fidelity[] = [];
  const idle: Combination[] = [];
  for (const candidate of candidates) {
    const fidelity = await checkFidelity(candidate, values);
    if (
      candidate.compresses &&
      !fidelity.stored.some((each) => each !== undefined && each.rawLength >= thresholdBytes)
    ) {
      idle.push(candidate);
      continue;
    }
    combinations.push(candidate);
    fidelities.push(fidelity);
  }
  const subjects = combinations.flatMap((combination, index): readonly Subject[] => {
    const { stored } = fidelities[index]!;
    const accepted = values.filter((_, place) => stored[place] !== undefined);
    if (accepted.length === 0) return [];
    return [
      encodeSubject(combination, accepted),
      decodeSubject(
        combination,
        stored.filter((each) => each !== undefined),
      ),
    ];
  });
  const timings = await measureInRounds(subjects, rounds);
  const baseIndex = fidelities[0]!.refused === 0 ? 0 : 1;
  let turn = 0;
  const measurements = combinations.map((combination, index): Measurement => {
    const fidelity = fidelities[index]!;
    const accepted = values.length - fidelity.refused;
    if (accepted === 0) {
      const none = { bytes: NaN, ratio: NaN, compressed: 0, encodeUs: NOTHING, decodeUs: NOTHING };
      return { combination, fidelity, ...none };
    }
    const perValueUs = ({ cpuNs }: Timing): Spread =>
      spreadOf(cpuNs.map((ns) => ns / 1000 / accepted));
    const total = sumOfBytes(fidelity, fidelity);
    return {
      combination,
      fidelity,
      bytes: total / accepted,
      ratio: total / sumOfBytes(fidelities[baseIndex]!, fidelity),
      compressed: fidelity.stored.filter((each) => each?.isCompressed === true).length,
      encodeUs: perValueUs(timings[turn++]!),
      decodeUs: perValueUs(timings[turn++]!),
    };
  });
  return { sample, base: combinations[baseIndex]!, measurements, idle };
}

/** Bytes of the values that `where` takes. */
function sumOfBytes(of: Fidelity, where: Fidelity): number {
  return of.stored.reduce(
    (sum, each, index) =>
      sum + (where.stored[index] === undefined ? 0 : (each?.bytes.length ?? NaN)),
    0,
  );
}

/** Writes all values once per count. */
function encodeSubject(combination: Combination, values: readonly unknown[]): Subject {
  return {
    name: `${combination.codec}+${combination.compressor} encode`,
    run: async (count) => {
      for (let time = 0; time < count; time++) {
        for (const value of values) {
          const stored = combination.store(value);
          if (stored instanceof Promise) await stored;
        }
      }
    },
  };
}

/** Reads all values once per count. */
function decodeSubject(combination: Combination, stored: readonly StoredBytes[]): Subject {
  return {
    name: `${combination.codec}+${combination.compressor} decode`,
    run: async (count) => {
      for (let time = 0; time < count; time++) {
        for (const each of stored) {
          const value = combination.read(each);
          if (value instanceof Promise) await value;
        }
      }
    },
  };
}
