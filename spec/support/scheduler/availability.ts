import { CacheConfigurationError } from '#internal/errors.js';
import { KEYS, type OperationRow } from './operation.js';
import { OPERATIONS } from './operations.js';
import { inOrder } from './schedule.js';
import type { ScenarioRunner } from './scenario.js';
import type { WorldRow } from './world.js';

/** What does not exist yet, and what the library says when it is asked for it. */
export type Missing = ReadonlyMap<OperationRow, string>;

/** Asks a world for each operation that it may not have yet. */
export async function findMissing(runner: ScenarioRunner, world: WorldRow): Promise<Missing> {
  const missing = new Map<OperationRow, string>();
  for (const operation of OPERATIONS.filter(({ mayBeMissing }) => mayBeMissing)) {
    const placed = [{ operation, node: 0, key: KEYS[0] }];
    const { failure } = await runner.run({ world, isPrimed: true, placed }, () => inOrder);
    if (failure instanceof CacheConfigurationError) missing.set(operation, failure.message);
  }
  return missing;
}
