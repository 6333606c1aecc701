import { setImmediate as turn } from 'node:timers/promises';
import type { Progress } from './consistency-judge.js';
import type { ConsistencySubject, InvalidationTarget } from './consistency-subject.js';
import {
  allTagsScope,
  CLEAR_SCOPE,
  keyScope,
  patternScope,
  tagScope,
  type KeySpace,
} from './key-space.js';
import {
  choicesFor,
  isInvalidation,
  type OperationKind,
  type OperationMix,
} from './operation-mix.js';
import type { InvalidationKind, OperationRecord, ReadKind } from './operation-record.js';
import type { SeededChance } from './seeded-chance.js';
import { isOriginFault, VersionedOrigin } from './versioned-origin.js';

/** What one process is to do. */
export interface WorkloadOptions {
  readonly process: number;
  readonly keySpace: KeySpace;
  readonly mix: OperationMix;
  /** How many operations are under way at a time. */
  readonly actors: number;
  /** How many invalidations are to be acknowledged. */
  readonly invalidations: number;
  readonly slowestLoadMs: number;
  readonly chance: SeededChance;
  /** Nanoseconds on the clock of the run. */
  readonly now: () => number;
  readonly emit: (record: OperationRecord) => void;
  /** Hears of operations that failed, those of loads that failed on purpose left out. */
  readonly fail: (operation: OperationKind, error: unknown) => void;
}

/** How many keys a call for many keys has at most. */
const MANY = 8;

/** Readers and writers of one process, who use a subject and write down what they see. */
export class Workload {
  readonly #subject: ConsistencySubject;
  readonly #options: WorkloadOptions;
  readonly #origin: VersionedOrigin;
  readonly #choices: readonly (readonly [OperationKind, number])[];
  /** The starts of the operations under way, the oldest first. */
  readonly #open = new Map<number, number>();
  #operations = 0;
  #puts = 0;
  #acknowledged = 0;
  #isStopped = false;

  constructor(subject: ConsistencySubject, options: WorkloadOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#origin = new VersionedOrigin(options);
    this.#choices = choicesFor(options.mix, subject);
  }

  /** Resolves when enough invalidations are acknowledged, or after `stop`, once all operations have settled. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.actors }, () => this.#act()));
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** How many operations are under way. */
  get open(): number {
    return this.#open.size;
  }

  progress(): Progress {
    const completedTo = this.#options.now();
    const [openSince = completedTo] = this.#open.values();
    return { completedTo, openSince };
  }

  async #act(): Promise<void> {
    const { chance, invalidations, fail } = this.#options;
    while (!this.#isStopped && this.#acknowledged < invalidations) {
      const kind = chance.weighted(this.#choices);
      try {
        await this.#perform(kind);
      } catch (error) {
        if (!isOriginFault(error)) fail(kind, error);
      }
      // A cache that answers at once would otherwise keep timers and sockets waiting for ever.
      if (chance.next() < 0.5) await turn();
    }
  }

  async #perform(kind: OperationKind): Promise<void> {
    const { process, now, emit } = this.#options;
    const operation = this.#operations++;
    const startedAt = now();
    this.#open.set(operation, startedAt);
    try {
      if (kind === 'warm') return await this.#warm();
      if (!isInvalidation(kind)) {
        const answers = await this.#read(kind);
        const endedAt = now();
        for (const [key, value] of answers) {
          emit({ type: 'read', kind, process, key, startedAt, endedAt, value });
        }
        return;
      }
      await this.#invalidate(kind, startedAt);
    } finally {
      this.#open.delete(operation);
    }
  }

  async #read(kind: ReadKind): Promise<readonly (readonly [key: string, value: unknown])[]> {
    const key = this.#anyKey();
    const tags = this.#options.keySpace.tagsOf(key);
    const load = (): ReturnType<VersionedOrigin['load']> => this.#origin.load(key);
    const subject = this.#subject;
    switch (kind) {
      case 'get':
        return [[key, await subject.get!(key)]];
      case 'read':
        return [[key, await subject.read(key, load, tags)]];
      case 'refresh':
        return [[key, await subject.refresh!(key, load, tags)]];
      case 'bulk': {
        const keys = this.#keysLike(key);
        const found = await subject.bulk!(keys, (missing) => this.#loadMany(missing), tags);
        return keys.map((each) => [each, found.get(each)] as const);
      }
    }
  }

  async #loadMany(
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, Awaited<ReturnType<VersionedOrigin['load']>>>> {
    return new Map(
      await Promise.all(keys.map(async (key) => [key, await this.#origin.load(key)] as const)),
    );
  }

  async #warm(): Promise<void> {
    const key = this.#anyKey();
    const tags = this.#options.keySpace.tagsOf(key);
    await this.#subject.warm!(this.#keysLike(key), (each) => this.#origin.load(each), tags);
  }

  async #invalidate(kind: InvalidationKind, startedAt: number): Promise<void> {
    const { process, now, emit, keySpace } = this.#options;
    const key = this.#anyKey();
    const put = kind === 'put' ? this.#puts++ : undefined;
    const target = kind === 'put' ? undefined : this.#target(kind, key);
    const scopes = target === undefined ? [keyScope(key)] : scopesHitBy(target);
    let isAcknowledged = false;
    try {
      if (target === undefined) {
        const value = { key, at: startedAt, by: process, put };
        isAcknowledged = await this.#subject.put!(key, value, keySpace.tagsOf(key));
      } else {
        await this.#subject.invalidate(target);
        isAcknowledged = true;
      }
    } finally {
      if (isAcknowledged) this.#acknowledged++;
      const endedAt = now();
      emit({
        type: 'invalidation',
        kind,
        process,
        scopes,
        startedAt,
        endedAt,
        isAcknowledged,
        ...(put !== undefined && { put }),
      });
    }
  }

  #target(kind: Exclude<InvalidationKind, 'put'>, key: string): InvalidationTarget {
    const { keySpace } = this.#options;
    const { known, found } = keySpace.tagsOf(key);
    switch (kind) {
      case 'key':
      case 'expire':
        return { kind, key };
      case 'keys':
        return { kind, keys: this.#keysLike(key) };
      case 'pattern': {
        const prefix = keySpace.groupOf(key);
        return { kind, glob: `${prefix}*`, prefix };
      }
      case 'tags':
        return { kind, tags: this.#options.chance.next() < 0.5 ? known : found };
      case 'allTags':
        return { kind, tags: [...known, ...found] };
      case 'clear':
        return { kind };
    }
  }

  /** The first keys are asked for more often, so that operations meet there. */
  #anyKey(): string {
    const { chance, keySpace } = this.#options;
    const { keys } = keySpace;
    return keys[Math.floor(chance.next() ** 2 * keys.length)]!;
  }

  #keysLike(key: string): readonly string[] {
    const { keySpace, chance } = this.#options;
    return keySpace.sameTags(keySpace.keys.indexOf(key), 1 + chance.below(MANY));
  }
}

function scopesHitBy(target: InvalidationTarget): readonly string[] {
  switch (target.kind) {
    case 'key':
    case 'expire':
      return [keyScope(target.key)];
    case 'keys':
      return target.keys.map(keyScope);
    case 'pattern':
      return [patternScope(target.prefix)];
    case 'tags':
      return target.tags.map(tagScope);
    case 'allTags':
      return [allTagsScope(target.tags)];
    case 'clear':
      return [CLEAR_SCOPE];
  }
}
