import { CacheSerializationError, isCacheError, type CacheError } from '../../errors.js';
import type { CallOptions, EntryWrite, StoreOutcome } from '../../cache/backend.js';
import type { EncodedValue } from '../../cache/entry-framer.js';
import { compilePattern } from '../../cache/key-pattern.js';
import { isPromiseLike, type MaybePromise } from '../../cache/maybe-promise.js';
import type { PendingCall } from './call-deadlines.js';
import type { PendingSet } from './pending-sets.js';
import { isReplyError, redisError, replyError } from './redis-errors.js';
import type { RedisLike } from './redis-like.js';
import { chunks, type RedisStoreParts } from './redis-parts.js';
import { STORE, STORE_OUTCOMES } from './fill-scripts.js';
import { DELETE } from './invalidation-scripts.js';
import { runScript } from './redis-script.js';
import { confirmOnReplicas } from './redis-wait.js';
import { lifetimeText, stampOf } from './redis-write-stamp.js';

/** One write on its way. */
interface Job {
  readonly write: EntryWrite;
  readonly pendingSet: PendingSet | undefined;
  encoded: EncodedValue | undefined;
  outcome: StoreOutcome | undefined;
  /** Up to which number the key was compared with the patterns that were deleted. */
  comparedTo: string;
}

const WRITES_PER_SCRIPT = 100;
/** A set whose stamp was old is repeated, within its time; so often it is old only while invalidations pour in. */
const MOST_ATTEMPTS = 4;
/** What ioredis says of a command that it did not send. */
const NOT_SENT = "Stream isn't writeable";
const REPLY_HEAD = 3;
/** What stands before a name in a log. */
const LOGGED_MARK = '=';

/** Stores entries under their fences. */
export class RedisWriter {
  readonly #parts: RedisStoreParts;

  constructor(parts: RedisStoreParts) {
    this.#parts = parts;
  }

  store(
    writes: readonly EntryWrite[],
    options?: CallOptions,
  ): MaybePromise<readonly StoreOutcome[]> {
    const jobs = writes.map((write): Job => {
      const pendingSet =
        write.fence.kind === 'set' ? this.#parts.pendingSets.begin(write.key) : undefined;
      if (write.fence.kind === 'put') this.#parts.pendingSets.overtake(write.key);
      return { write, pendingSet, encoded: undefined, outcome: undefined, comparedTo: '0' };
    });
    const encoding: PromiseLike<void>[] = [];
    for (const job of jobs) {
      const pending = this.#encode(job);
      if (pending !== undefined) encoding.push(pending);
    }
    const sending =
      encoding.length === 0 ? this.#send(jobs, options) : this.#sendAfter(encoding, jobs, options);
    const sets = jobs.flatMap(({ pendingSet }) => pendingSet ?? []);
    if (sets.length === 0) return sending;
    return sending.finally(() => {
      for (const set of sets) this.#parts.pendingSets.end(set);
    });
  }

  #encode(job: Job): PromiseLike<void> | undefined {
    const { entry, framing } = job.write;
    const refuse = (error: unknown): void => {
      job.outcome = asSerializationError(error);
    };
    try {
      const encoded = this.#parts.context.framer.encodeValue(
        entry,
        framing ?? this.#parts.space.framing,
      );
      if (isPromiseLike(encoded)) {
        return encoded.then((value) => {
          job.encoded = value;
        }, refuse);
      }
      job.encoded = encoded;
    } catch (error) {
      refuse(error);
    }
    return undefined;
  }

  async #sendAfter(
    encoding: readonly PromiseLike<unknown>[],
    jobs: readonly Job[],
    options: CallOptions | undefined,
  ): Promise<readonly StoreOutcome[]> {
    await Promise.all(encoding);
    return this.#send(jobs, options);
  }

  #send(jobs: readonly Job[], options: CallOptions | undefined): Promise<readonly StoreOutcome[]> {
    const outcomes = (): readonly StoreOutcome[] => jobs.map((job) => job.outcome ?? 'refused');
    if (jobs.every((job) => job.outcome !== undefined)) return Promise.resolve(outcomes());
    const hasSets = jobs.some((job) => job.pendingSet !== undefined);
    return this.#parts.connection.call(
      'store',
      async (client, call) => {
        try {
          await this.#attempt(client, call, jobs, hasSets);
          if (jobs.some(({ write }) => write.fence.kind !== 'fill')) {
            await confirmOnReplicas(client, this.#parts.wait, call);
          }
        } catch (error) {
          if (!hasSets || isReplyError(error) || isUnsent(error) || isCacheError(error))
            throw error;
          // The set may still be executed, until its deadline. It must not be reported as failed before that.
          call.lateError = redisError(error, 'store', this.#parts.connection.place);
          await new Promise<never>(() => undefined);
        }
      },
      outcomes,
      options,
    );
  }

  async #attempt(
    client: RedisLike,
    call: PendingCall,
    jobs: readonly Job[],
    hasSets: boolean,
  ): Promise<void> {
    const { stamp, generation } = this.#parts;
    if (hasSets && (generation.value === undefined || stamp.deadline(call.dueAt) === '')) {
      await this.#run(client, call, []);
    }
    for (let attempt = 1; attempt <= MOST_ATTEMPTS && !call.isSettled; attempt++) {
      for (const job of jobs) if (job.pendingSet?.isOvertaken === true) job.outcome ??= 'refused';
      const open = jobs.filter((job) => job.outcome === undefined);
      if (open.length === 0) return;
      await Promise.all(
        chunks(open, WRITES_PER_SCRIPT).map((part) => this.#run(client, call, part)),
      );
      await this.#voidKeys(
        client,
        open.filter(({ write, outcome, comparedTo }) => {
          return write.fence.kind === 'put' && outcome === 'refused' && comparedTo !== '0';
        }),
      );
    }
    const given = jobs.filter((job) => job.outcome === undefined);
    for (const job of given) job.outcome = 'refused';
    if (!call.isSettled) {
      await this.#voidKeys(
        client,
        given.filter(({ write }) => write.fence.kind !== 'fill'),
      );
    }
  }

  /**
   * What was to replace an entry and is refused leaves nothing: a put whose key was deleted by a pattern, and any
   * write that was overtaken in every attempt.
   */
  async #voidKeys(client: RedisLike, jobs: readonly Job[]): Promise<void> {
    const { generation, keys } = this.#parts;
    const names = jobs.map(({ write }) => generation.entryPrefix + write.key);
    if (names.length === 0) return;
    await runScript(client, DELETE, [generation.key, ...names], [keys.tagPrefix]);
  }

  /** Runs the script for some writes; those that have to be repeated are left without an outcome. */
  async #run(client: RedisLike, call: PendingCall, jobs: readonly Job[]): Promise<void> {
    const { keys, stamp, generation, fillTimeoutMs } = this.#parts;
    const names = [generation.key, keys.sequence, keys.registry];
    const args: (string | Buffer)[] = [
      keys.tagPrefix,
      String(fillTimeoutMs),
      stamp.deadline(call.dueAt),
    ];
    const framed: Job[] = [];
    let bytes = 0;
    for (const job of jobs) {
      const size = this.#frame(job, args);
      if (size === 0) continue;
      bytes += size;
      names.push(generation.entryPrefix + job.write.key);
      framed.push(job);
    }
    args.push(String(stamp.highest));
    if (framed.length === 0 && jobs.length > 0) return;
    const reply = (await runScript(
      client,
      STORE,
      names,
      args,
      () => !framed.some((job) => job.pendingSet?.isOvertaken === true),
    )) as unknown[];
    generation.value = Number(reply[0]);
    stamp.learn(Number(reply[1]), Number(reply[2]));
    framed.forEach((job, index) => {
      const answer = reply[REPLY_HEAD + index];
      if (Array.isArray(answer)) compare(job, answer.map(String));
      else job.outcome = this.#outcome(answer);
    });
    if (bytes > 0) {
      const cache = this.#parts.space.name;
      this.#parts.context.report({ type: 'bytes', cache, read: 0, written: bytes });
    }
  }

  /** Appends a write's arguments; answers the size of its frame, 0 when it cannot become one. */
  #frame(job: Job, args: (string | Buffer)[]): number {
    const { entry } = job.write;
    const stamp = stampOf(job.write, this.#parts);
    if (stamp === undefined) {
      job.outcome = 'refused';
      return 0;
    }
    const { framer, clock } = this.#parts.context;
    const now = clock.now();
    const createdAt = Math.min(entry.createdAt, now);
    try {
      const frame = framer.frame(job.encoded!, {
        tags: entry.tags,
        sequence: stamp.sequence,
        generation: stamp.generation,
        lineage: stamp.frameLineage,
        createdAt,
        ttlMs: entry.expiresAt - createdAt,
        retainMs: entry.retainedUntil - createdAt,
        loadCostMs: entry.loadCostMs,
      });
      this.#checkSize(frame.length);
      args.push(
        stamp.kind,
        stamp.lineage,
        String(stamp.generation),
        String(stamp.sequence),
        lifetimeText(entry.retainedUntil - now),
        job.comparedTo,
        String(entry.tags.length),
        ...entry.tags,
        frame,
      );
      return frame.length;
    } catch (error) {
      job.outcome = asSerializationError(error);
      return 0;
    }
  }

  #checkSize(size: number): void {
    const { maxPayloadBytes } = this.#parts;
    if (size <= maxPayloadBytes) return;
    throw new CacheSerializationError(
      `The entry has ${size} bytes and is not stored: RedisBackend.maxPayloadBytes is ${maxPayloadBytes}.`,
    );
  }

  #outcome(reply: unknown): StoreOutcome | undefined {
    switch (Number(reply)) {
      case STORE_OUTCOMES.stored:
        return 'stored';
      case STORE_OUTCOMES.refused:
        return 'refused';
      case STORE_OUTCOMES.stale:
      case STORE_OUTCOMES.late:
        return undefined;
      default: {
        return replyError(String(reply), 'store', this.#parts.connection.place);
      }
    }
  }
}

/** Refuses a write whose key one of the patterns hits; otherwise it is sent again, with the number it is good for. */
function compare(job: Job, answer: readonly string[]): void {
  const patterns = answer.filter((text) => text.startsWith(LOGGED_MARK));
  job.comparedTo = answer[answer.length - 1]!;
  const { key } = job.write;
  const isHit = patterns.some((text) => compilePattern(text.slice(1)).matches(key));
  if (isHit) job.outcome = 'refused';
}

function isUnsent(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith(NOT_SENT);
}

function asSerializationError(error: unknown): CacheError {
  if (isCacheError(error)) return error;
  return new CacheSerializationError('The value could not be encoded.', '', { cause: error });
}
