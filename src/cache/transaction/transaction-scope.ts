import { AsyncLocalStorage } from 'node:async_hooks';
import type { Transaction } from './transaction.js';

/** A transaction, and the one around it, which may be another manager's. */
interface Scope {
  readonly transaction: Transaction;
  readonly around: Scope | undefined;
}

const storage = new AsyncLocalStorage<Scope | undefined>();

let running = 0;

/** Whether any transaction runs in this process. The one question that is asked while none does. */
export function isAnyRunning(): boolean {
  return running !== 0;
}

/**
 * The transaction of a manager that is under way here; `undefined` outside of any, and in what was started inside one
 * that has ended.
 *
 * @param owner - the manager's runtime
 */
export function currentTransaction(owner: object): Transaction | undefined {
  return running === 0 ? undefined : find(owner);
}

function find(owner: object): Transaction | undefined {
  for (let scope = storage.getStore(); scope !== undefined; scope = scope.around) {
    const { transaction } = scope;
    if (transaction.owner === owner) return transaction.isOpen ? transaction : undefined;
  }
  return undefined;
}

/**
 * Runs a function with a transaction around it, which closes when the function has settled.
 *
 * Before Node.js 24 a storage that is in use makes every promise of the process slower, those of other code included,
 * so it is switched off while no transaction runs.
 */
export async function runInside<Result>(
  transaction: Transaction,
  run: () => Result | PromiseLike<Result>,
): Promise<Result> {
  running++;
  try {
    return await storage.run({ transaction, around: storage.getStore() }, run);
  } finally {
    transaction.isOpen = false;
    if (--running === 0) storage.disable();
  }
}

/** Runs a function as if no transaction were around it. */
export function runOutside<Result>(run: () => Result): Result {
  return running === 0 ? run() : storage.run(undefined, run);
}
