import type { FillStart, FillToken, LoadTurn } from './backend.js';
import type { CallBudget } from './call-budget.js';
import type { StoredEntry } from './entry.js';
import type { RunOptions } from './fill-options.js';
import type { FillTarget } from './fill-store.js';
import { nextOrder } from './flight-table.js';
import type { LoadWaiters } from './load-waiters.js';
import { currentScope } from './load-context.js';
import { andThen, type MaybePromise } from './maybe-promise.js';

/*
 * How a fill begins: with its tokens, and under `sync: 'cluster'` with its turn. Another process that is loading already
 * is waited for: it stores its value before it gives its turn back, so who is woken looks the entry up, and begins
 * again only if there is none. That lookup is a read of its own, after everything that its caller may have seen.
 */

/** What a fill begins with. */
export type Begun =
  | {
      readonly kind: 'load';
      /** In the order of the targets; `undefined` where there is nowhere to store. */
      readonly tokens: readonly (FillToken | undefined)[];
      /** A value that is still there, as of its token. */
      readonly present: StoredEntry | undefined;
    }
  /** Somebody else has loaded it. */
  | { readonly kind: 'found'; readonly entry: StoredEntry; readonly confirmedAt: number }
  /** Nobody waits any more, or a refresh is left to another process. */
  | { readonly kind: 'none' }
  /** See {@link RunOptions.endsUnshared}. */
  | { readonly kind: 'unshared' };

/**
 * How long a load within another load waits for its turn. Each of two processes could hold the turn that the other one
 * needs; rather than wait for ever, both load.
 */
export const NESTED_TURN_WAIT_MS = 2_000;

/**
 * So many turns of others are waited for that leave nothing behind, because their results are not to be stored or were
 * invalidated. After that a process loads beside the others, or they would load one after the other, the last one
 * waiting for them all. Not just a few: holders may die, and a turn may look as if it were over when messages are lost.
 */
export const MOST_TURNS = 8;

/** Takes the token of every target, side by side, and looks whether a load is needed at all. At once where the store answers at once. */
export function beginFill(
  targets: readonly FillTarget[],
  options: RunOptions,
  waiters: LoadWaiters,
): MaybePromise<Begun> {
  const confirmedAt = nextOrder();
  return options.isClustered === true
    ? beginInTurn(targets, options, waiters)
    : andThen(beginAll(targets, options, []), (starts) =>
        begun(targets, starts, options, waiters, confirmedAt),
      );
}

async function beginInTurn(
  targets: readonly FillTarget[],
  options: RunOptions,
  waiters: LoadWaiters,
): Promise<Begun> {
  const turn = await takeTurn(targets[0]!, options, waiters);
  if (turn.kind !== 'start') return turn;
  const starts = await beginAll(targets, options, [turn.start]);
  return begun(targets, starts, options, waiters, turn.askedAt);
}

function begun(
  targets: readonly FillTarget[],
  starts: readonly (FillStart | undefined)[],
  options: RunOptions,
  waiters: LoadWaiters,
  confirmedAt: number,
): Begun {
  // What nobody waits for, and nothing can keep, is not worth asking the origin.
  if (options.isDue !== undefined && starts.every((start) => start === undefined)) {
    return { kind: 'none' };
  }
  const now = starts.some((start) => start?.entry !== undefined)
    ? targets[0]!.cache.runtime.clock.now()
    : 0;
  const found = starts.find(
    (start) => start?.entry !== undefined && !needsLoad(start.entry, now, options),
  );
  const tokens = starts.map((start) => start?.token);
  if (found?.entry === undefined && !waiters.isAbandoned) {
    const present = starts.find((start) => start?.entry?.kind === 'value')?.entry;
    return { kind: 'load', tokens, present };
  }
  releaseAll(targets, tokens);
  return found?.entry === undefined
    ? { kind: 'none' }
    : { kind: 'found', entry: found.entry, confirmedAt };
}

/** Gives tokens back; they stand in the order of the targets. */
export function releaseAll(
  targets: readonly FillTarget[],
  tokens: readonly (FillToken | undefined)[],
): void {
  targets.forEach(({ cache }, index) => {
    const token = tokens[index];
    if (token !== undefined) cache.release([token]);
  });
}

/** Whether an entry that is there is no answer for those who wait. */
export function needsLoad(
  entry: StoredEntry,
  now: number,
  { isRefresh, isDue }: Pick<RunOptions, 'isRefresh' | 'isDue'>,
): boolean {
  if (isDue !== undefined) return isDue(entry, now);
  return isRefresh || entry.expiresAt <= now;
}

/** Whether what a store gave for a key is somebody else's turn. */
export function isTurn(start: FillStart | LoadTurn): start is LoadTurn {
  return 'whenOver' in start;
}

/**
 * Waits for others' loads to end. `late`: longer than a load within a load may wait. When the store fell silent
 * meanwhile, the caller's time for it is used up.
 */
export async function waitForTurns(
  turns: readonly LoadTurn[],
  waiters: LoadWaiters,
  budget: CallBudget | undefined,
): Promise<'over' | 'late' | 'abandoned'> {
  let timer: NodeJS.Timeout | undefined;
  let forget: (() => void) | undefined;
  const stop = new Promise<'late' | 'abandoned'>((resolve) => {
    if (waiters.isAbandoned) resolve('abandoned');
    forget = waiters.onAbandoned(() => resolve('abandoned'));
    if (currentScope() !== undefined) {
      timer = setTimeout(() => resolve('late'), NESTED_TURN_WAIT_MS);
    }
  });
  const over = Promise.all(turns.map(({ whenOver }) => whenOver)).then(() => 'over' as const);
  try {
    const end = await Promise.race([over, stop]);
    if (end !== 'over') for (const turn of turns) turn.cancel();
    const silent = turns.find(({ failure }) => failure !== undefined);
    if (silent !== undefined) budget?.useUp(silent.failure);
    return end;
  } finally {
    clearTimeout(timer);
    forget?.();
  }
}

type Turn =
  | { readonly kind: 'start'; readonly start: FillStart | undefined; readonly askedAt: number }
  | Exclude<Begun, { readonly kind: 'load' }>;

async function takeTurn(
  target: FillTarget,
  options: RunOptions,
  waiters: LoadWaiters,
): Promise<Turn> {
  const { cache, key, policy } = target;
  const { budget, isStaleKnown } = options;
  // An entry that will not do must not keep the store from handing out the lease.
  const hints = { ...policy.hints, isRefresh: options.isRefresh || isStaleKnown === true };
  for (let waits = 1; ; waits++) {
    const askedAt = nextOrder();
    const starts = await cache.beginTurns([key], policy.mode, hints, budget);
    const start = starts?.[0];
    if (start === undefined || !isTurn(start)) return { kind: 'start', start, askedAt };
    if (options.isDue !== undefined) {
      start.cancel();
      return { kind: 'none' };
    }
    const end = await waitForTurns([start], waiters, budget);
    if (end === 'abandoned') return { kind: 'none' };
    if (end === 'late') return beginUnturned(target, options);
    if (start.isUnshared === true && options.endsUnshared === true) return { kind: 'unshared' };
    const confirmedAt = nextOrder();
    const entry = await cache.find(key, policy.mode, { ...policy.hints, turns: 'again' }, budget);
    if (entry !== undefined && !needsLoad(entry, cache.runtime.clock.now(), options)) {
      return { kind: 'found', entry, confirmedAt };
    }
    if (waits === MOST_TURNS) return beginUnturned(target, options);
  }
}

/** Begins beside whoever else is loading. */
async function beginUnturned(target: FillTarget, options: RunOptions): Promise<Turn> {
  const askedAt = nextOrder();
  return { kind: 'start', start: await beginOne(target, options), askedAt };
}

/** Begins where that has not been done yet. One that fails gives back what the others got. */
function beginAll(
  targets: readonly FillTarget[],
  options: RunOptions,
  begun: readonly (FillStart | undefined)[],
): MaybePromise<readonly (FillStart | undefined)[]> {
  if (targets.length > 1) return beginEach(targets, options, begun);
  return begun.length === 1 ? begun : andThen(beginOne(targets[0]!, options), (start) => [start]);
}

async function beginEach(
  targets: readonly FillTarget[],
  options: RunOptions,
  begun: readonly (FillStart | undefined)[],
): Promise<readonly (FillStart | undefined)[]> {
  const starts = await Promise.allSettled(
    targets.map(async (each, index) =>
      index < begun.length ? begun[index] : beginOne(each, options),
    ),
  );
  const failed = starts.find((each) => each.status === 'rejected');
  const given = starts.map((each) => (each.status === 'fulfilled' ? each.value : undefined));
  if (failed === undefined) return given;
  releaseAll(
    targets,
    given.map((start) => start?.token),
  );
  throw failed.reason;
}

function beginOne(
  { cache, key, policy }: FillTarget,
  { budget }: RunOptions,
): MaybePromise<FillStart | undefined> {
  return andThen(cache.begin([key], policy.mode, policy.hints, budget), (starts) => starts?.[0]);
}
