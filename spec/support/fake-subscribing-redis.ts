import { EventEmitter } from 'node:events';
import type { SubscribingRedis } from '#internal/backends/redis/redis-subscription.js';

/** How a connection answers `SUBSCRIBE` or `SSUBSCRIBE`. */
export type SubscribeAnswer = 'accept' | 'hang' | Error;

/** A connection whose answers the spec decides about. */
export class FakeSubscribingRedis extends EventEmitter {
  status = 'wait';
  readonly log: string[] = [];
  answer: SubscribeAnswer = 'accept';
  isSilent = false;

  connect(): Promise<void> {
    this.log.push('connect');
    this.status = 'connecting';
    return Promise.resolve();
  }

  subscribe(channel: string): Promise<unknown> {
    return this.#subscribe('subscribe', channel);
  }

  ssubscribe(channel: string): Promise<unknown> {
    return this.#subscribe('ssubscribe', channel);
  }

  ping(): Promise<string> {
    this.log.push('ping');
    return this.isSilent ? new Promise(() => undefined) : Promise.resolve('PONG');
  }

  disconnect(): void {
    this.log.push('disconnect');
    this.status = 'end';
    this.emit('end');
  }

  /** As `SubscribingRedis`, of which it has what is used. */
  get client(): SubscribingRedis {
    return this as unknown as SubscribingRedis;
  }

  become(event: 'connect' | 'ready' | 'end', error?: Error): void {
    if (error !== undefined) this.emit('error', error);
    this.status = event;
    this.emit(event);
  }

  #subscribe(command: string, channel: string): Promise<unknown> {
    this.log.push(`${command} ${channel}`);
    if (this.answer === 'hang') return new Promise(() => undefined);
    return this.answer === 'accept' ? Promise.resolve(1) : Promise.reject(this.answer);
  }
}

/** A client that gives connections, one after the other; as a Cluster, one for each of its masters. */
export class FakeOrigin {
  readonly isCluster: boolean;
  /** Commands that were sent on the client itself. */
  readonly sent: string[] = [];
  readonly made: FakeSubscribingRedis[] = [];
  /** Which master each connection was made at. */
  readonly asked: number[] = [];
  readonly #masters: number;
  readonly #answer: (master: number, index: number) => SubscribeAnswer;

  constructor(answer: (master: number, index: number) => SubscribeAnswer, masters = 0) {
    this.isCluster = masters > 0;
    this.#masters = masters;
    this.#answer = answer;
  }

  get client(): SubscribingRedis {
    return this as unknown as SubscribingRedis;
  }

  get latest(): FakeSubscribingRedis {
    return this.made.at(-1)!;
  }

  duplicate(): FakeSubscribingRedis {
    return this.#make(0);
  }

  callBuffer(...command: readonly string[]): Promise<unknown> {
    this.sent.push(command.join(' '));
    return Promise.reject(new Error('Connection is closed.'));
  }

  nodes(): readonly { duplicate(): FakeSubscribingRedis }[] {
    return Array.from({ length: this.#masters }, (_, master) => ({
      duplicate: () => this.#make(master),
    }));
  }

  #make(master: number): FakeSubscribingRedis {
    const connection = new FakeSubscribingRedis();
    connection.answer = this.#answer(master, this.made.length);
    this.made.push(connection);
    this.asked.push(master);
    return connection;
  }
}
