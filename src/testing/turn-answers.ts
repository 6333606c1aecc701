import assert from 'node:assert/strict';
import type { BackendStore, FillStart, LoadTurn, TurnHints } from '../cache/backend.js';

/** What a store answers a caller who asks for his turn. */
export async function ask(
  store: BackendStore,
  key: string,
  hints?: TurnHints,
): Promise<FillStart | LoadTurn> {
  assert.ok(store.beginTurns !== undefined, 'a store of a backend with leases has beginTurns');
  const answers = await store.beginTurns([key], hints);
  assert.equal(answers.length, 1, 'beginTurns gives one answer for one key');
  return answers[0]!;
}

/** Whether he may load, or finds an entry. */
export function isStart(answer: FillStart | LoadTurn): answer is FillStart {
  return 'token' in answer;
}

/** Asks, and fails unless it may load or finds an entry. */
export async function expectStart(
  store: BackendStore,
  key: string,
  hints?: TurnHints,
): Promise<FillStart> {
  const answer = await ask(store, key, hints);
  return isStart(answer) ? answer : assert.fail(`The lease of '${key}' is free, or not needed`);
}

/** Asks, and fails unless it has to wait. */
export async function expectTurn(
  store: BackendStore,
  key: string,
  hints?: TurnHints,
): Promise<LoadTurn> {
  const answer = await ask(store, key, hints);
  return isStart(answer) ? assert.fail(`The lease of '${key}' is held`) : answer;
}
