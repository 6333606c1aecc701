import type { DefinitionRow, KindRow } from './definitions.js';
import { KEYS } from './keys.js';
import type { OperationRow, Placed } from './operation.js';
import { OPERATIONS } from './operations.js';
import type { Scenario } from './scenario.js';
import type { WorldRow } from './world.js';

/*
 * Operations beside each other, as the proof of P1 and P2 runs them in every order.
 */

/** What is filled on the first node is invalidated on the last one, and read on the first. */
export function pair(world: WorldRow, fill: OperationRow, invalidation: OperationRow): Scenario {
  const key = KEYS[0];
  const last = world.size - 1;
  return {
    world,
    // Only a load that is forced has something to do where there is a value already.
    isPrimed: fill.name.includes('refresh'),
    placed: [
      { operation: fill, node: 0, key },
      { operation: invalidation, node: last, key },
      { operation: named('get'), node: 0, key, after: 1 },
    ],
  };
}

/** The same, where it is not a miss that makes the cache load. */
export function refreshing(
  world: WorldRow,
  { definition, primedForMs, beside }: DefinitionRow,
  invalidation: OperationRow,
  fill = named('getOrSet with tags'),
): Scenario {
  const { placed } = pair(world, fill, invalidation);
  const more = beside === undefined ? [] : [{ operation: named(beside), node: 0, key: KEYS[0] }];
  return { world, definition, primedForMs, isPrimed: true, placed: [...placed, ...more] };
}

/** The same, where what is there has no tags, and only the load that replaces it tells of them. */
export function refreshingLateTags(
  world: WorldRow,
  row: DefinitionRow,
  invalidation: OperationRow,
): Scenario {
  const fill = named('getOrSet with tags that the load adds');
  return { ...refreshing(world, row, invalidation, fill), primedTags: [] };
}

/**
 * The same, where the shared tier has what the first node lacks, so that reading brings a copy. What overtakes the
 * copy is of the last node, which tells the first one by a message, or of the first node itself.
 */
export function copying(
  world: WorldRow,
  read: OperationRow,
  invalidation: OperationRow,
  invalidatedOn: number,
): Scenario {
  const [first, , last] = pair(world, read, invalidation).placed;
  const second = { operation: invalidation, node: invalidatedOn, key: KEYS[0] };
  return {
    world,
    isPrimed: true,
    primedOn: world.size - 1,
    placed: [first!, second, last!],
  };
}

/** Two ways of filling on two nodes, and what invalidates both, if anything does. One load waits for the other. */
export function waiting(
  world: WorldRow,
  { definition }: KindRow,
  fills: readonly [OperationRow, OperationRow],
  invalidation?: OperationRow,
): Scenario {
  const key = KEYS[0];
  const last = world.size - 1;
  const loads = fills.map((operation, node): Placed => ({ operation, node: node * last, key }));
  const after = [
    { operation: invalidation!, node: last, key },
    { operation: named('get'), node: 0, key, after: 2 },
  ];
  return {
    world,
    definition,
    isPrimed: false,
    placed: invalidation === undefined ? loads : [...loads, ...after],
  };
}

export function named(name: string): OperationRow {
  const found = OPERATIONS.find((row) => row.name === name);
  if (found === undefined) throw new RangeError(`there is no operation '${name}'`);
  return found;
}
