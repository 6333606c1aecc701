import type { BackendHealth } from '#internal/cache/backend.js';
import type { BusContext, CacheBus } from '#internal/cache/cache-bus.js';
import type { Invalidation, Reach } from './origin.js';
import type { Schedule } from './schedule.js';
import { messagesTo, nodeState } from './world.js';

/**
 * A channel between the nodes of a world. Each delivery is a step; what one node sends arrives at each other node, and
 * at itself, in the order in which it was sent, and none of it is lost.
 */
export class SimulatedChannel {
  readonly #schedule: Schedule;
  readonly #listeners: BusContext[] = [];
  /** By sender. */
  readonly #sent: number[] = [];
  /** By sender and receiver. */
  readonly #delivered = new Map<string, number>();
  readonly #sentBefore = new WeakMap<Invalidation, number>();

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** What a node sends and hears by. */
  bus(node: number): CacheBus {
    return {
      name: 'simulated',
      attach: (context) => {
        this.#listeners[node] = context;
        this.#sent[node] = 0;
        const subscribe = (): void => context.subscribed();
        this.#schedule.add('subscription', `node ${node} listens`, subscribe, [nodeState(node)]);
      },
      publish: (message) => this.#publish(node, message),
      health: (): BackendHealth => ({ status: 'healthy' }),
      close: async () => undefined,
    };
  }

  /** Remembers what an invalidation had sent when it was acknowledged. */
  readonly acknowledged = (invalidation: Invalidation): void => {
    // A node that never spoke has nothing to wait for.
    this.#sentBefore.set(invalidation, this.#sent[invalidation.node] ?? 0);
  };

  /** An invalidation binds its own process, and another one from the moment that the messages have reached it. */
  readonly reach: Reach = (invalidation, node) => {
    if (invalidation.node === node) return true;
    const delivered = this.#delivered.get(`${invalidation.node} ${node}`) ?? 0;
    return delivered >= (this.#sentBefore.get(invalidation) ?? Infinity);
  };

  #publish(sender: number, message: string): void {
    this.#sent[sender]!++;
    this.#listeners.forEach((context, receiver) => {
      const lane = `messages from node ${sender} to node ${receiver}`;
      const deliver = (): void => {
        const route = `${sender} ${receiver}`;
        this.#delivered.set(route, (this.#delivered.get(route) ?? 0) + 1);
        // Whoever reads after this is bound by what was acknowledged.
        this.#schedule.touch(messagesTo(receiver), 'add');
        context.receive(message);
      };
      this.#schedule.add(
        lane,
        `a message of node ${sender} reaches node ${receiver}`,
        deliver,
        [nodeState(receiver)],
        lane,
      );
    });
  }
}
