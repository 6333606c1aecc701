import { RedisBackend } from 'cachewell/redis';
import { ReplyError } from '../simulated-redis/redis-reply.js';
import { SimulatedClient, type Channels, type Wire } from '../simulated-redis/simulated-client.js';
import { SimulatedRedis } from '../simulated-redis/simulated-redis.js';
import type { Schedule } from './schedule.js';
import type { VirtualTime } from './virtual-time.js';
import { nodeState, type World } from './world.js';

/** Longer than any schedule: what is slow here is only late. */
const PATIENCE = '1h';

/**
 * How long a lease lasts that nobody renews, in milliseconds. Long, for it is renewed every third of that: much time
 * that passes is to end leases, and not to bring about a hundred renewals.
 */
const LEASE_MS = 30_000;

/** What a walk over all keys of the store depends on. */
const WALK = 'keys of the store';

/** A simulated Redis, of which every request, every answer, and every message that it sends is a step. */
export class ScheduledRedis {
  readonly #server: SimulatedRedis;
  readonly #schedule: Schedule;
  /** By channel: how its subscribers take a message. */
  readonly #subscribers = new Map<string, ((message: string) => void)[]>();

  constructor(schedule: Schedule, time: VirtualTime) {
    this.#server = new SimulatedRedis(time.now);
    this.#schedule = schedule;
    this.#server.onPublish = (channel, message) => this.#publish(channel, message);
  }

  /** A backend of a node, on connections of its own. */
  backend(node: number): RedisBackend {
    return new RedisBackend({
      client: new SimulatedClient(this.#wire(node), this.#channels(node)),
      prefix: 'spec',
      commandTimeout: PATIENCE,
      lease: LEASE_MS,
      healthCheckInterval: 0,
    });
  }

  /** What the server may lose. */
  get losses(): Pick<World, 'lose' | 'forgetScripts'> {
    const { space } = this.#server;
    return {
      lose: (random) => {
        const keys = space.keys().sort();
        const key = keys[Math.floor(random * keys.length)];
        if (key !== undefined) space.delete(key);
        return key;
      },
      forgetScripts: () => this.#server.forgetScripts(),
    };
  }

  /**
   * One connection: requests arrive in the order in which they were sent, answers in that of the requests; in between
   * anything may happen.
   */
  #wire(node: number): Wire {
    const [requests, answers] = [`requests of node ${node}`, `answers to node ${node}`];
    return (command, args) => {
      // What the backend tells every new connection decides nothing.
      if (command === 'script') return Promise.resolve(this.#server.execute(command, args).reply);
      return new Promise((resolve, reject) => {
        const what = `${command} of node ${node}`;
        const arrive = (): void => {
          const { reply, touched } = this.#server.execute(command, args);
          // What happens to the store as a whole cannot change places with any command.
          this.#schedule.touch('store', 'add');
          for (const [key, how] of touched) {
            // A walk comes out otherwise with any key more or less.
            if (key === undefined) this.#schedule.touch(WALK, 'read');
            else this.#schedule.touch(`key ${key}`, how);
            if (how === 'write') this.#schedule.touch(WALK, 'add');
          }
          const answer = (): void => {
            if (reply instanceof ReplyError) reject(reply);
            else resolve(reply);
          };
          this.#schedule.add(answers, `${what} is answered`, answer, [nodeState(node)], answers);
        };
        this.#schedule.add(requests, `${what} arrives`, arrive, [], requests);
      });
    };
  }

  /** Another connection of the node: it is there at once, and what it hears may come before or behind any answer. */
  #channels(node: number): Channels {
    return async (channel, listener) => {
      // Not by the channel's name, which is another one in each run.
      const lane = `turns of node ${node}`;
      const hear = (message: string): void => {
        // Messages keep their order, so whatever sends two of them cannot change places.
        this.#schedule.touch(lane, 'write');
        const label = `node ${node} hears ${message}`;
        this.#schedule.add(lane, label, () => listener(message), [nodeState(node)], lane);
      };
      const others = this.#subscribers.get(channel);
      if (others === undefined) this.#subscribers.set(channel, [hear]);
      else others.push(hear);
    };
  }

  #publish(channel: string, message: string): number {
    const subscribers = this.#subscribers.get(channel) ?? [];
    for (const hear of subscribers) hear(message);
    return subscribers.length;
  }
}
