import type { Transact } from './world.js';

/** A fault of transactions. */
export interface TransactionFault {
  readonly name: string;
  readonly fills: readonly string[];
  readonly breaks: readonly string[];
  readonly spoil: (transact: Transact) => Transact;
}

/** Faults of transactions that the proof has to find. */
export const TRANSACTION_FAULTS: readonly TransactionFault[] = [
  {
    name: 'transactions do everything at once',
    fills: ['getOrSet with tags'],
    breaks: [
      'delete in a transaction',
      'clear in a transaction',
      'invalidateTags in a transaction',
      'put in a transaction',
      'clear and put in a transaction',
    ],
    spoil: () => async (run) => run(),
  },
  {
    name: 'what a transaction loads is stored for all',
    fills: ['getOrSet in a transaction'],
    breaks: ['delete', 'clear'],
    spoil: () => async (run) => run(),
  },
  {
    name: 'a transaction that throws keeps its puts',
    fills: ['getOrSet with tags'],
    breaks: ['a transaction that throws'],
    spoil: (transact) => async (run) => {
      let failure: { readonly error: unknown } | undefined;
      const result = await transact(async () => {
        try {
          return await run();
        } catch (error) {
          failure = { error };
          return undefined;
        }
      });
      if (failure !== undefined) throw failure.error;
      return result as Awaited<ReturnType<typeof run>>;
    },
  },
  {
    name: 'a transaction that throws invalidates nothing',
    fills: ['getOrSet with tags'],
    breaks: ['a transaction that throws'],
    spoil: (transact) => (run) =>
      new Promise((resolve, reject) => {
        const unended = (error: unknown): Promise<never> => {
          reject(error as Error);
          return new Promise(() => undefined);
        };
        transact(() => Promise.resolve(run()).catch(unended)).then(resolve, reject);
      }),
  },
];
