import { CacheSerializationError, isCacheError } from '../../errors.js';
import type { CallOptions, EntryWrite, StoreOutcome } from '../../cache/backend.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import type { PendingCall } from './call-deadlines.js';
import { isReplyError, redisError, replyError } from './redis-errors.js';
import type { RedisLike } from './redis-like.js';
import type { RedisStoreParts } from './redis-parts.js';
import { STORE_OUTCOMES } from './fill-scripts.js';
import { VOID } from './invalidation-scripts.js';
import { runScript } from './redis-script.js';
import { confirmOnReplicas } from './redis-wait.js';
import type { StoreSite } from './store-site.js';
import {
  asSerializationError,
  compareWithPatterns,
  encodeJob,
  jobsByPlace,
  learnFloor,
  newJob,
  type WriteJob,
} from './write-jobs.js';
import { lifetimeText, markerLifetimeMs, stampOf } from './redis-write-stamp.js';

/** A set whose stamp was old is repeated, within its time; so often it is old only while invalidations pour in. */
const MOST_ATTEMPTS = 4;
/** What ioredis says of a command that it did not send. */
const NOT_SENT = "Stream isn't writeable";
const REPLY_HEAD = 3;

/** Stores entries under their fences. */
export class RedisWriter {
  readonly #parts: RedisStoreParts;
  readonly #site: StoreSite;

  /** @param parts - what all places share */
  constructor(parts: RedisStoreParts, site: StoreSite) {
    this.#parts = parts;
    this.#site = site;
  }

  store(
    writes: readonly EntryWrite[],
    options?: CallOptions,
  ): MaybePromise<readonly StoreOutcome[]> {
    const jobs = writes.map((write) => {
      const pendingSet =
        write.fence.kind === 'set' ? this.#parts.pendingSets.begin(write.key) : undefined;
      if (write.fence.kind === 'put') this.#parts.pendingSets.overtake(write.key);
      return newJob(write, pendingSet);
    });
    const encoding: PromiseLike<void>[] = [];
    for (const job of jobs) {
      const pending = encodeJob(this.#parts, job);
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

  async #sendAfter(
    encoding: readonly PromiseLike<unknown>[],
    jobs: readonly WriteJob[],
    options: CallOptions | undefined,
  ): Promise<readonly StoreOutcome[]> {
    await Promise.all(encoding);
    return this.#send(jobs, options);
  }

  #send(
    jobs: readonly WriteJob[],
    options: CallOptions | undefined,
  ): Promise<readonly StoreOutcome[]> {
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
    jobs: readonly WriteJob[],
    hasSets: boolean,
  ): Promise<void> {
    if (hasSets) await this.#learn(client, call, jobs);
    for (let attempt = 1; attempt <= MOST_ATTEMPTS && !call.isSettled; attempt++) {
      const open = await this.#comparedJobs(client, call, jobs);
      if (call.isSettled) return;
      await Promise.all(
        jobsByPlace(
          this.#site,
          open.filter((job) => job.outcome === undefined),
        ).map(([parts, group]) => this.#run(client, call, parts, group)),
      );
      await this.#voidKeys(
        client,
        open.filter(({ write, outcome, comparedTo, isRefused }) => {
          const isOurs = isRefused || comparedTo !== '0';
          return write.fence.kind === 'put' && outcome === 'refused' && isOurs;
        }),
      );
      if (jobs.every((job) => job.outcome !== undefined)) return;
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
  async #voidKeys(client: RedisLike, jobs: readonly WriteJob[]): Promise<void> {
    await Promise.all(
      jobsByPlace(this.#site, jobs).map(([{ generation, keys }, group]) => {
        const names = group.map(({ write }) => generation.entryPrefix + write.key);
        return runScript(client, VOID, [generation.key, ...names], [keys.wakeChannels]);
      }),
    );
  }

  /** Sets need the generation and the server's clock: asks where they are not known. */
  async #learn(client: RedisLike, call: PendingCall, jobs: readonly WriteJob[]): Promise<void> {
    const sets = jobs.filter((job) => job.pendingSet !== undefined);
    const unknown = jobsByPlace(this.#site, sets).filter(([{ generation, stamp }]) => {
      return generation.value === undefined || stamp.deadline(call.dueAt) === '';
    });
    const places = new Set(unknown.map(([parts]) => parts));
    await Promise.all([...places].map((parts) => this.#run(client, call, parts, [])));
  }

  /** The jobs without an outcome, after comparing their tags where scripts do not. */
  async #comparedJobs(
    client: RedisLike,
    call: PendingCall,
    jobs: readonly WriteJob[],
  ): Promise<readonly WriteJob[]> {
    const open = jobs.filter((job) => job.outcome === undefined);
    const { compareTags } = this.#site;
    if (compareTags !== undefined && open.some(({ write }) => write.entry.tags.length > 0)) {
      await compareTags(client, call, open);
    }
    for (const job of open) {
      if (job.isRefused || job.pendingSet?.isOvertaken === true) job.outcome = 'refused';
    }
    return open;
  }

  /** Runs the script for some writes; those that have to be repeated are left without an outcome. */
  async #run(
    client: RedisLike,
    call: PendingCall,
    parts: RedisStoreParts,
    jobs: readonly WriteJob[],
  ): Promise<void> {
    const { keys, stamp, generation, fillTimeoutMs } = parts;
    const names = [...this.#site.namesOf(parts)];
    const args: (string | Buffer)[] = [
      keys.tagPrefix,
      String(fillTimeoutMs),
      stamp.deadline(call.dueAt),
    ];
    const framed: WriteJob[] = [];
    let bytes = 0;
    for (const job of jobs) {
      const size = this.#frame(job, parts, args);
      if (size === 0) continue;
      bytes += size;
      names.push(generation.entryPrefix + job.write.key);
      framed.push(job);
    }
    args.push(String(stamp.highest));
    if (framed.length === 0 && jobs.length > 0) return;
    const reply = (await runScript(
      client,
      this.#site.storeScript,
      names,
      args,
      () => !framed.some((job) => job.pendingSet?.isOvertaken === true),
    )) as unknown[] | null;
    if (reply === null) {
      for (const job of framed) if (job.pendingSet === undefined) job.outcome = 'refused';
      await this.#site.recover?.(client, parts);
      return;
    }
    generation.value = Number(reply[0]);
    if (this.#site.seesTags) stamp.learn(Number(reply[1]), Number(reply[2]));
    else learnFloor(stamp, framed, Number(reply[1]), Number(reply[2]));
    framed.forEach((job, index) => {
      const answer = reply[REPLY_HEAD + index];
      if (Array.isArray(answer)) compareWithPatterns(job, answer.map(String));
      else job.outcome = this.#outcome(answer);
    });
    if (bytes > 0) {
      const cache = this.#parts.space.name;
      this.#parts.context.report({ type: 'bytes', cache, read: 0, written: bytes });
    }
  }

  /** Appends a write's arguments; answers the size of its frame, 0 when it cannot become one. */
  #frame(job: WriteJob, parts: RedisStoreParts, args: (string | Buffer)[]): number {
    const { entry } = job.write;
    const sequence = job.sequence ?? parts.stamp.sequence ?? 0;
    const stamp = stampOf(job.write, parts, this.#site, sequence);
    const tags = this.#site.seesTags ? entry.tags : [];
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
        lifetimeText(markerLifetimeMs(entry, now)),
        job.comparedTo,
        String(tags.length),
        ...tags,
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

function isUnsent(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith(NOT_SENT);
}
