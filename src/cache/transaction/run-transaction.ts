import { currentTransaction, runInside, runOutside } from './transaction-scope.js';
import { Transaction, type TransactionHost } from './transaction.js';
import type { Propagation } from './transaction-options.js';

/**
 * Runs a function in a transaction of a manager.
 *
 * Resolves when everything that was kept meanwhile has been issued, and rejects, with the function's error, when all
 * that a failure leaves to be issued has been.
 */
export async function runTransaction<Result>(
  owner: TransactionHost,
  run: () => Result | PromiseLike<Result>,
  propagation: Propagation,
): Promise<Result> {
  const around = propagation === 'join' ? currentTransaction(owner) : undefined;
  if (around !== undefined) return runJoined(around, run);
  const transaction = new Transaction(owner);
  let result: Result;
  try {
    result = await runInside(transaction, run);
  } catch (error) {
    await runOutside(() => transaction.end(false));
    throw error;
  }
  await runOutside(() => transaction.end(true));
  return result;
}

/** What a part of a transaction did before it threw was undone, as behind a savepoint. */
async function runJoined<Result>(
  around: Transaction,
  run: () => Result | PromiseLike<Result>,
): Promise<Result> {
  const mark = around.mark();
  try {
    return await run();
  } catch (error) {
    around.rollBack(mark);
    throw error;
  }
}
