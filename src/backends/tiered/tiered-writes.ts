import type {
  BackendStore,
  CacheSpace,
  CallOptions,
  EntryWrite,
  FillToken,
  ReleaseOptions,
  StoreOutcome,
} from '../../cache/backend.js';
import { spaceId } from './coherence-message.js';
import { boundedCopy, DEFAULT_SPACE } from './l1-trust.js';
import { storeCopies } from './own-tier-writes.js';
import { announceSafely, isOutage, withDeadline, type TieredParts } from './tiered-parts.js';
import { isTieredToken, splitTokens, type TieredToken } from './tiered-token.js';

/**
 * How one write is done.
 *
 * - `shared`: stored in the shared tier under its token there, then copied.
 * - `alone`: a fill that could not begin in the shared tier; it stays here, for `maxStaleness` at the most.
 * - `void`: nothing can be said about the order of events, so a put makes its key void.
 */
type Course = 'shared' | 'alone' | 'void';

interface Planned {
  readonly write: EntryWrite;
  readonly course: Course;
  /** The right to keep a copy; `undefined` for a token that no tiered store gave. */
  readonly token: TieredToken | undefined;
}

/**
 * Writes of a cache in two tiers: the shared one decides; what it has stored is copied, under a token of the own tier
 * that was taken before the shared one was asked.
 *
 * A copy takes the place of whatever other copy is there or under way (the fence `put`): the own tier cannot know in
 * which order the shared one stored two values, and rather keeps none than the older one.
 */
export class TieredWrites {
  readonly #parts: TieredParts;
  readonly #space: CacheSpace;
  readonly #id: string;
  readonly #l1: BackendStore;
  readonly #l2: BackendStore;
  readonly #keepMs: number;

  constructor(parts: TieredParts, space: CacheSpace, l1: BackendStore, l2: BackendStore) {
    this.#parts = parts;
    this.#space = space;
    this.#id = spaceId(space);
    this.#l1 = l1;
    this.#l2 = l2;
    this.#keepMs = space.l1TtlMs ?? DEFAULT_SPACE.l1TtlMs;
  }

  async store(
    writes: readonly EntryWrite[],
    options: CallOptions | undefined,
  ): Promise<readonly StoreOutcome[]> {
    const call = withDeadline(this.#parts, options);
    const planned = writes.map(plan);
    const setTokens = await this.#setTokens(planned);
    const askedAt = this.#parts.context.clock.now();
    const failures: unknown[] = [];
    const outcomes = await this.#askShared(planned, call, failures);
    // What is put or set takes the place of values that others hold, and so does what it failed to put.
    const replaced = planned.filter(({ write }) => write.fence.kind !== 'fill');
    const keys = [...new Set(replaced.map(({ write }) => write.key))];
    const message =
      keys.length === 0 ? undefined : ({ kind: 'keys', space: this.#id, keys } as const);
    if (failures.length > 0 && message !== undefined) this.#parts.coherence?.oweEpoch();
    await announceSafely(this.#parts, message, call, failures);
    const kept = await this.#keep(planned, outcomes, setTokens, askedAt);
    if (failures.length > 0) throw failures[0];
    return planned.map(({ course }, index) =>
      course === 'alone' ? (kept[index] ?? 'refused') : (outcomes[index] ?? 'refused'),
    );
  }

  /** Tokens of the own tier for bare sets, which bring none, in the places of their writes. */
  async #setTokens(planned: readonly Planned[]): Promise<readonly (FillToken | undefined)[]> {
    const keys = planned.flatMap(({ write }) => (write.fence.kind === 'set' ? [write.key] : []));
    if (keys.length === 0) return [];
    const starts = await this.#l1.begin(keys);
    let next = 0;
    return planned.map(({ write }) =>
      write.fence.kind === 'set' ? starts[next++]!.token : undefined,
    );
  }

  /** The shared tier's outcomes in the places of the writes; `undefined` where it was not asked, or failed. */
  async #askShared(
    planned: readonly Planned[],
    call: CallOptions,
    failures: unknown[],
  ): Promise<readonly (StoreOutcome | undefined)[]> {
    const outcomes: (StoreOutcome | undefined)[] = planned.map(() => undefined);
    const places = [...planned.keys()].filter((place) => planned[place]!.course === 'shared');
    const voided = planned.flatMap(({ write, course }) => (course === 'void' ? [write.key] : []));
    try {
      if (places.length > 0) {
        const answers = await this.#l2.store(
          places.map((place) => sharedWrite(planned[place]!)),
          call,
        );
        places.forEach((place, index) => (outcomes[place] = answers[index]));
      }
    } catch (error) {
      failures.push(error);
    }
    try {
      if (voided.length > 0) await this.#l2.delete(voided, call);
    } catch (error) {
      failures.push(error);
    }
    return outcomes;
  }

  /** Keeps what may be kept, and drops what was replaced by something that may not. */
  async #keep(
    planned: readonly Planned[],
    outcomes: readonly (StoreOutcome | undefined)[],
    setTokens: readonly (FillToken | undefined)[],
    askedAt: number,
  ): Promise<readonly (StoreOutcome | undefined)[]> {
    const copies: EntryWrite[] = [];
    const places: number[] = [];
    const unused: FillToken[] = [];
    const dropped: string[] = [];
    planned.forEach((each, place) => {
      const { write, token } = each;
      const isFill = write.fence.kind === 'fill';
      const ownToken = setTokens[place] ?? token?.l1;
      const copy = ownToken && this.#copyOf(each, outcomes[place], ownToken, askedAt);
      if (copy !== undefined) {
        copies.push(copy);
        places.push(place);
        return;
      }
      if (ownToken !== undefined) unused.push(ownToken);
      if (!isFill) dropped.push(write.key);
    });
    this.#l1.release(unused);
    if (dropped.length > 0) await this.#l1.delete(dropped);
    const stored = await storeCopies(this.#parts, this.#space, this.#l1, copies);
    const kept: (StoreOutcome | undefined)[] = planned.map(() => undefined);
    places.forEach((place, index) => (kept[place] = stored[index]));
    return kept;
  }

  #copyOf(
    { write, course, token }: Planned,
    outcome: StoreOutcome | undefined,
    ownToken: FillToken,
    askedAt: number,
  ): EntryWrite | undefined {
    const { key, entry, fence, framing } = write;
    const isFill = fence.kind === 'fill';
    // A fill that the shared tier failed to take is as good as one that it could not begin.
    const isAlone =
      isFill && (course === 'alone' || (course === 'shared' && outcome === undefined));
    if (outcome !== 'stored' && !isAlone) return undefined;
    const now = this.#parts.context.clock.now();
    const confirmedAt = isFill ? token!.begunAt : askedAt;
    const longest = now + this.#keepMs;
    const keptUntil = isAlone
      ? Math.min(longest, confirmedAt + this.#parts.trust.maxStalenessMs)
      : longest;
    const copy = boundedCopy(entry, { confirmedAt, keptUntil, lagMs: 0 });
    if (copy.retainedUntil <= now) return undefined;
    const kind = isAlone ? 'fill' : 'put';
    return {
      key,
      entry: copy,
      fence: { kind, token: ownToken },
      ...(framing === undefined ? {} : { framing }),
    };
  }
}

function plan(write: EntryWrite): Planned {
  const { fence } = write;
  if (fence.kind === 'set') return { write, course: 'shared', token: undefined };
  const token = isTieredToken(fence.token) ? fence.token : undefined;
  if (token?.l2 !== undefined) return { write, course: 'shared', token };
  return { write, course: fence.kind === 'fill' ? 'alone' : 'void', token };
}

function sharedWrite({ write, token }: Planned): EntryWrite {
  if (write.fence.kind === 'set') return write;
  return { ...write, fence: { kind: write.fence.kind, token: token!.l2! } };
}

/** Gives tokens back to both tiers. */
export function releaseTokens(
  l1: BackendStore,
  l2: BackendStore,
  tokens: readonly FillToken[],
  options?: ReleaseOptions,
): void {
  const split = splitTokens(tokens);
  l1.release(split.l1);
  if (split.l2.length > 0) l2.release(split.l2, options);
}

/** Whether an outage lets a fill go on in this process alone, and not a fault of the call. Reported once. */
export function mayFillAlone(parts: TieredParts, space: CacheSpace, error: unknown): boolean {
  if (!isOutage(error)) return false;
  if (!parts.isSharedTierOut) {
    parts.isSharedTierOut = true;
    parts.context.report({ type: 'error', cache: space.name, operation: 'begin', error });
  }
  return true;
}
