import type { Combination, StoredBytes } from './combinations.js';
import { differencesBetween } from './differences.js';

/** What becomes of each value of a sample on its way through a combination. */
export interface Fidelity {
  readonly exact: number;
  readonly refused: number;
  /** Came back as another value, without an error. */
  readonly changed: number;
  /** What was refused or changed, why, and in how many values. */
  readonly reasons: readonly FidelityReason[];
  /** The stored form of each value; `undefined` = refused. */
  readonly stored: readonly (StoredBytes | undefined)[];
}

/** One ground for which values were refused or changed. */
export interface FidelityReason {
  readonly kind: 'refused' | 'changed';
  readonly text: string;
  readonly values: number;
}

/** Sends every value through a combination once, and compares what comes out with what went in. */
export async function checkFidelity(
  combination: Combination,
  values: readonly unknown[],
): Promise<Fidelity> {
  const reasons = new Map<string, { kind: FidelityReason['kind']; text: string; values: number }>();
  const note = (kind: FidelityReason['kind'], text: string): void => {
    const known = reasons.get(text);
    if (known === undefined) reasons.set(text, { kind, text, values: 1 });
    else known.values++;
  };
  const stored: (StoredBytes | undefined)[] = [];
  let changed = 0;
  for (const value of values) {
    let bytes: StoredBytes;
    try {
      bytes = await combination.store(value);
    } catch (error) {
      stored.push(undefined);
      note('refused', (error as Error).message);
      continue;
    }
    stored.push(bytes);
    const differences = await readAndCompare(combination, bytes, value);
    if (differences.length > 0) changed++;
    for (const text of differences) note('changed', text);
  }
  const refused = stored.filter((each) => each === undefined).length;
  return {
    exact: values.length - refused - changed,
    refused,
    changed,
    reasons: [...reasons.values()].sort((a, b) => b.values - a.values),
    stored,
  };
}

async function readAndCompare(
  combination: Combination,
  bytes: StoredBytes,
  value: unknown,
): Promise<readonly string[]> {
  try {
    const differences = differencesBetween(value, await combination.read(bytes));
    return differences.map(({ path, change }) => `${path}: ${change}`);
  } catch (error) {
    return [`what was stored cannot be read: ${(error as Error).message}`];
  }
}
