import { expect } from 'chai';
import { describe, it } from 'mocha';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type {
  BackendStore,
  CacheBackend,
  EntryWrite,
  FillStart,
  FillToken,
  LoadTurn,
  ReadHints,
  ReleaseOptions,
  TurnHints,
} from '#internal/cache/backend.js';
import { BackendSession } from '#internal/testing/backend-session.js';
import { turnCases } from '#internal/testing/backend-turn-cases.js';

/** What a lease may do wrong. */
interface Faults {
  readonly grantsAll?: boolean;
  readonly forgetsStores?: boolean;
  readonly forgetsRefusals?: boolean;
  readonly forgetsReleases?: boolean;
  readonly ignoresEntries?: boolean;
  readonly ignoresRefreshes?: boolean;
  readonly keepsLostTokens?: boolean;
  readonly wakesAtOnce?: boolean;
  readonly wakesCancelled?: boolean;
  readonly sharesKeys?: boolean;
  readonly missesBehindWaits?: boolean;
  readonly freesByKey?: boolean;
  readonly tellsNothing?: boolean;
  readonly tellsAlways?: boolean;
}

interface LeasedToken extends FillToken {
  readonly inner: FillToken;
}

interface Lease {
  readonly token: LeasedToken;
  readonly waiting: Set<(isUnshared: boolean) => void>;
  hasLapsed: boolean;
}

/** Leases in one process, on the tokens of a memory backend: right, but for the faults that are asked for. */
class LeasedStore {
  readonly #inner: BackendStore;
  readonly #leases: Map<string, Lease>;
  readonly #space: string;
  readonly #faults: Faults;
  readonly #lost = new WeakSet<FillToken>();

  constructor(inner: BackendStore, leases: Map<string, Lease>, space: string, faults: Faults) {
    this.#inner = inner;
    this.#leases = leases;
    this.#space = faults.sharesKeys === true ? '' : space;
    this.#faults = faults;
  }

  get store(): BackendStore {
    const inner = this.#inner;
    return {
      get: (key: string, hints?: ReadHints) =>
        hints?.turns === 'again' && this.#faults.missesBehindWaits === true
          ? undefined
          : inner.get(key),
      getMany: (keys: readonly string[]) => inner.getMany(keys),
      delete: (keys: readonly string[]) => inner.delete(keys),
      clear: () => inner.clear(),
      beginTurns: (keys: readonly string[], hints?: TurnHints) =>
        keys.map((key) => this.#begin(key, hints?.isRefresh === true)),
      store: (writes: readonly EntryWrite[]) => writes.map((write) => this.#store(write)),
      release: (tokens: readonly FillToken[], options?: ReleaseOptions) => {
        for (const token of tokens as readonly LeasedToken[]) {
          inner.release([token.inner]);
          const isUnshared = this.#faults.tellsNothing !== true && options?.isUnshared === true;
          if (this.#faults.forgetsReleases !== true) this.#free(token, isUnshared);
        }
      },
    } as unknown as BackendStore;
  }

  #begin(key: string, isRefresh: boolean): FillStart | LoadTurn {
    const name = `${this.#space} ${key}`;
    const [start] = this.#inner.begin([key]) as readonly FillStart[];
    const { entry } = start!;
    const token: LeasedToken = { key, sequence: start!.token.sequence, inner: start!.token };
    if (entry !== undefined && this.#faults.ignoresEntries !== true) {
      if (!isRefresh || this.#faults.ignoresRefreshes === true) return { token, entry };
    }
    const lease = this.#leases.get(name);
    if (lease !== undefined && !lease.hasLapsed && this.#faults.grantsAll !== true) {
      this.#inner.release([start!.token]);
      return this.#turn(lease);
    }
    if (lease !== undefined && this.#faults.keepsLostTokens !== true) this.#lost.add(lease.token);
    this.#leases.set(name, { token, waiting: new Set(), hasLapsed: false });
    return { token, entry };
  }

  #turn({ waiting }: Lease): LoadTurn {
    if (this.#faults.wakesAtOnce === true) {
      return { whenOver: Promise.resolve(), cancel: () => undefined };
    }
    let resolve = (): void => undefined;
    const whenOver = new Promise<void>((done) => (resolve = done));
    const wake = (isUnshared: boolean): void => {
      turn.isUnshared = isUnshared;
      resolve();
    };
    waiting.add(wake);
    const turn = {
      whenOver,
      isUnshared: false,
      cancel: () => void (this.#faults.wakesCancelled !== true && waiting.delete(wake)),
    };
    return turn;
  }

  #store(write: EntryWrite): unknown {
    const { fence } = write;
    if (fence.kind === 'set') return (this.#inner.store([write]) as readonly unknown[])[0];
    const token = fence.token as LeasedToken;
    if (this.#lost.has(token)) return 'refused';
    const inner = { ...write, fence: { ...fence, token: token.inner } };
    const [outcome] = this.#inner.store([inner]) as readonly unknown[];
    const { forgetsStores, forgetsRefusals } = this.#faults;
    if (outcome === 'stored' ? forgetsStores !== true : forgetsRefusals !== true) this.#free(token);
    return outcome;
  }

  #free(token: FillToken, isUnshared = false): void {
    const name = `${this.#space} ${token.key}`;
    const lease = this.#leases.get(name);
    if (lease === undefined) return;
    if (lease.token !== token && this.#faults.freesByKey !== true) return;
    this.#leases.delete(name);
    for (const wake of lease.waiting) wake(isUnshared || this.#faults.tellsAlways === true);
  }
}

/** The names of the cases that fail, one that never ends included. */
async function failedCases(faults: Faults): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { name, run } of turnCases) {
    const inner = new MemoryBackend({ sweepInterval: Infinity });
    const leases = new Map<string, Lease>();
    const backend = {
      capabilities: { ...inner.capabilities, hasLeases: true },
      attach: (context) => inner.attach(context),
      open: (space) =>
        new LeasedStore(inner.open(space), leases, `${space.name} ${space.version}`, faults).store,
      invalidateTags: (selection) => inner.invalidateTags(selection),
      close: (timeoutMs) => inner.close(timeoutMs),
    } as Partial<CacheBackend> as CacheBackend;
    const session = new BackendSession({
      backend,
      lapse: () => {
        for (const lease of leases.values()) lease.hasLapsed = true;
      },
    });
    // Nothing here waits for more than promises, so what has not ended by then never does.
    const never = new Promise((_, reject) => setTimeout(reject, 50, new Error('never ends')));
    await Promise.race([run(session), never]).catch(() => failed.push(name));
    await session.close();
  }
  return failed;
}

const FAULTS: readonly (readonly [fault: string, faults: Faults, caseThatFails: RegExp])[] = [
  ['grants everybody', { grantsAll: true }, /gives one of many a token/],
  ['forgets who waits when a value is stored', { forgetsStores: true }, /ends a turn when the val/],
  ['forgets who waits when a store is refused', { forgetsRefusals: true }, /store was refused/],
  ['forgets who waits when a token is given back', { forgetsReleases: true }, /given back/],
  [
    'has the one who finds an entry wait',
    { ignoresEntries: true },
    /gives the entry that is there/,
  ],
  ['lets everybody refresh', { ignoresRefreshes: true }, /asks for a turn to refresh/],
  ['stores for whoever lost a lease', { keepsLostTokens: true }, /lapsed and was taken over/],
  ['wakes before the load is over', { wakesAtOnce: true }, /ends a turn when the value is stored/],
  ['wakes who no longer waits', { wakesCancelled: true }, /leaves a cancelled turn pending/],
  ['has one lease for a key of all caches', { sharesKeys: true }, /two caches and two versions/],
  ['misses what is there behind a wait', { missesBehindWaits: true }, /finds behind a wait/],
  ['ends a lease by a token of before', { freesByKey: true }, /takes a token back twice/],
  ['tells nobody that a result is not shared', { tellsNothing: true }, /for nobody else/],
  ['tells at every end that a result is not shared', { tellsAlways: true }, /for nobody else/],
];

describe('the turn cases of describeBackend', () => {
  it('pass a store whose leases are right', async () => {
    expect(await failedCases({})).to.deep.equal([]);
  });

  for (const [fault, faults, caseThatFails] of FAULTS) {
    it(`fail a store that ${fault}`, async () => {
      expect((await failedCases(faults)).join('\n')).to.match(caseThatFails);
    });
  }
});
