import { Redis } from 'ioredis';
import { CommandWatch } from '../invalidation/command-watch.js';
import { startWorkers } from '../support/workers.js';
import { InvalidationClient, type CachedRead } from './invalidation-client.js';
import { articleId, itemId } from './invalidation-items.js';
import type { InvalidationPorts } from './invalidation-server.js';

/** How much is stored, and how often it is made stale. */
export interface InvalidationLoad {
  readonly rounds: number;
  /** Rounds in which the commands to Redis are counted, in place of the time. */
  readonly countedRounds: number;
  readonly warmWrites: number;
  /** Stored responses that a write makes stale. */
  readonly stale: number;
  /** Stored responses of other URLs. */
  readonly foreign: number;
}

/** What the rounds over one store gave. */
export interface InvalidationTiming {
  /** Of the write that invalidates, by round. */
  readonly invalidatingMs: readonly number[];
  /** Of the same write without `httpInvalidation`, by round. */
  readonly plainMs: readonly number[];
  /** What one write makes the application send to Redis, at most. Absent where there is no Redis. */
  readonly commands: { readonly invalidating: number; readonly plain: number } | undefined;
  /** Reads behind invalidating writes: each was a miss, with what was written. */
  readonly fresh: number;
  /** Reads of other URLs behind invalidating writes: each was a hit. */
  readonly untouched: number;
  readonly fillMs: number;
}

/** How long the server is left alone once the items are stored. */
const SETTLE_MS = 50;
/** Reads of other URLs in each round, and behind the last one. */
const SAMPLES = 10;
const LAST_SAMPLES = 1000;
/** A prime, so that the articles that are looked at lie all over the store. */
const STEP = 7919;

/**
 * Times writes that make stored responses stale, over memory or a redis-server, beside the same write without
 * `httpInvalidation`: in each round the items are stored, by requests, and written to once in both ways. Which way comes
 * first alternates.
 *
 * @throws {@link RangeError} when a response is stale behind an invalidating write, or one is gone that no such write was about
 */
export async function measureInvalidation(
  redisPort: number | undefined,
  load: InvalidationLoad,
): Promise<InvalidationTiming> {
  const [server] = startWorkers(
    1,
    new URL('./invalidation-server.js', import.meta.url),
    redisPort === undefined ? [] : [`redis://127.0.0.1:${redisPort}`],
  );
  const client = new InvalidationClient();
  try {
    const ports = await server!.run<InvalidationPorts>('start');
    for (let count = 0; count < load.warmWrites; count++) {
      await client.write(ports.plain);
      await client.write(ports.invalidating);
    }
    await client.read(ports.invalidating, [`/articles/${articleId(0)}`]);
    const startedAt = performance.now();
    await server!.run('fill', load.foreign);
    const fillMs = performance.now() - startedAt;
    const rounds = new Rounds(client, ports, load);
    const commands =
      redisPort === undefined ? undefined : await countCommands(redisPort, rounds, load);
    const invalidatingMs: number[] = [];
    const plainMs: number[] = [];
    for (let round = 0; round < load.rounds; round++) {
      await rounds.store();
      if (round % 2 === 0) {
        plainMs.push(await rounds.write('plain'));
        await rounds.expectHeld(SAMPLES);
      }
      invalidatingMs.push(await rounds.write('invalidating'));
      await rounds.expectUntouched(SAMPLES);
      if (round % 2 === 1) plainMs.push(await rounds.write('plain'));
    }
    await rounds.store();
    await rounds.expectUntouched(LAST_SAMPLES);
    const { fresh, untouched } = rounds;
    return { invalidatingMs, plainMs, commands, fresh, untouched, fillMs };
  } finally {
    client.close();
    server!.kill();
  }
}

/** The steps of a round. */
class Rounds {
  readonly #client: InvalidationClient;
  readonly #ports: InvalidationPorts;
  readonly #foreign: number;
  readonly #items: readonly string[];
  /** Goes through the articles in steps. */
  #article = 0;
  /** Of the last write, and of the one before the items were stored. */
  #version = 0;
  #storedVersion: number | undefined;
  fresh = 0;
  untouched = 0;

  constructor(
    client: InvalidationClient,
    ports: InvalidationPorts,
    { stale, foreign }: InvalidationLoad,
  ) {
    this.#client = client;
    this.#ports = ports;
    this.#foreign = foreign;
    this.#items = Array.from({ length: stale }, (_, index) => `/items/${itemId(index)}`);
  }

  /** One write; its milliseconds. */
  async write(way: keyof InvalidationPorts): Promise<number> {
    const { ms, version } = await this.#client.write(this.#ports[way]);
    this.#version = version;
    return ms;
  }

  /** Asks for all items, which stores them. Each must be a miss, and say what the last write has made of it. */
  async store(): Promise<void> {
    // The first time nothing has been written since the server was warm, and nothing is stored.
    if (this.#storedVersion === undefined) await this.write('invalidating');
    const reads = await this.#read(this.#items);
    expectAll(reads, ({ cache, version }) => cache === 'MISS' && version === this.#version);
    if (this.#storedVersion !== undefined) this.fresh += reads.length;
    this.#storedVersion = this.#version;
    // What storing has left to do, such as a collection, is not the next write's.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await this.expectHeld(SAMPLES);
  }

  /** A look at some items: that they are stored, and that it is not the write by itself that makes them stale. */
  async expectHeld(samples: number): Promise<void> {
    const reads = await this.#read(this.#items.slice(0, samples));
    expectAll(reads, ({ cache, version }) => cache === 'HIT' && version === this.#storedVersion);
  }

  /** A look at some articles. */
  async expectUntouched(samples: number): Promise<void> {
    const ids = Array.from({ length: samples }, () => {
      this.#article = (this.#article + STEP) % this.#foreign;
      return articleId(this.#article);
    });
    const reads = await this.#read(ids.map((id) => `/articles/${id}`));
    expectAll(reads, ({ cache, id }, index) => cache === 'HIT' && id === ids[index]);
    this.untouched += reads.length;
  }

  #read(paths: readonly string[]): Promise<readonly CachedRead[]> {
    return this.#client.read(this.#ports.invalidating, paths);
  }
}

/** @throws {@link RangeError} when one of them is not as it should be */
function expectAll(
  reads: readonly CachedRead[],
  isRight: (read: CachedRead, index: number) => boolean,
): void {
  const wrong = reads.find((read, index) => !isRight(read, index));
  if (wrong !== undefined) throw new RangeError(`Answered wrongly: ${JSON.stringify(wrong)}`);
}

/** In rounds of their own, because being watched costs a server time. */
async function countCommands(
  port: number,
  rounds: Rounds,
  { countedRounds }: InvalidationLoad,
): Promise<NonNullable<InvalidationTiming['commands']>> {
  const redis = new Redis({ port });
  const watch = await CommandWatch.start([redis]);
  const plain: number[] = [];
  const invalidating: number[] = [];
  try {
    for (let round = 0; round < countedRounds; round++) {
      await rounds.store();
      plain.push((await watch.sentDuring(() => rounds.write('plain'))).length);
      invalidating.push((await watch.sentDuring(() => rounds.write('invalidating'))).length);
    }
  } finally {
    watch.stop();
    redis.disconnect();
  }
  return { plain: Math.max(...plain), invalidating: Math.max(...invalidating) };
}
