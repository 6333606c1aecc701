import { expectOneOf, expectOptions, rejectUnknown } from '../../options.js';

/** What a transaction inside another one of the same manager is: one of its own, or a part of that one. */
export type Propagation = 'new' | 'join';

/** How a transaction runs. */
export interface TransactionOptions {
  /**
   * What happens inside another transaction of the same manager. `'new'`: it is separate, sees nothing of the outer one,
   * and its puts and invalidations are issued when it ends. `'join'`: it is part of the outer one, as work is that
   * happens in the caller's database transaction. Without one around it there is no difference.
   * @defaultValue 'new'
   */
  readonly propagation?: Propagation | undefined;
}

/** Transaction options with every default in place. */
export interface ResolvedTransactionOptions {
  readonly propagation: Propagation;
}

/** What {@link TransactionOptions.propagation} is when nothing says otherwise. */
export const DEFAULT_PROPAGATION: Propagation = 'new';

/**
 * Checks a transaction's options and fills in the defaults.
 *
 * @param owner - whose options they are
 * @param further - options that the owner knows beside these
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 */
export function resolveTransactionOptions(
  options: TransactionOptions,
  owner: string = 'transaction',
  further: readonly string[] = [],
): ResolvedTransactionOptions {
  expectOptions(owner, options);
  rejectUnknown(owner, options, ['propagation', ...further]);
  const { propagation = DEFAULT_PROPAGATION } = options;
  return {
    propagation: expectOneOf<Propagation>(`${owner}.propagation`, propagation, ['new', 'join']),
  };
}
