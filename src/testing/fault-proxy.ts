import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { toMilliseconds, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import {
  expectInteger,
  expectOneOf,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../options.js';
import { FaultLink } from './fault-link.js';
import type { DirectionFaults } from './fault-pipe.js';
import {
  MessageFaults,
  type MessageCounts,
  type MessageFaultKind,
  type MessageFaultOptions,
} from './message-faults.js';

/** Where a {@link FaultProxy} leads, and what it understands. */
export interface FaultProxyOptions {
  /** The server: its URL, such as `redis://127.0.0.1:6379`, or its address. */
  readonly target: string | { readonly host?: string | undefined; readonly port: number };
  /**
   * The port to listen on, on 127.0.0.1; 0 = any free one.
   * @defaultValue 0
   */
  readonly port?: number | undefined;
  /**
   * `'resp'`: what the server sends is read as the protocol of Redis, so that single messages can be dropped,
   * doubled and swapped. `'bytes'`: nothing is read.
   * @defaultValue 'bytes'
   */
  readonly protocol?: 'bytes' | 'resp' | undefined;
}

/** One way through a proxy, or both. */
export type ProxyDirection = 'toServer' | 'toClient' | 'both';

/** What went through a proxy so far. */
export interface FaultProxyCounts {
  readonly accepted: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
  readonly bytesSwallowed: number;
  /** Messages of publish and subscribe; all 0 unless `protocol` is `'resp'`. */
  readonly messages: MessageCounts;
}

/**
 * A TCP proxy that does what networks do: cuts, refuses, swallows, holds and delays, and, for Redis, loses, doubles
 * and swaps single messages. Without faults, and after `heal`, it passes everything on as it came.
 *
 * Faults hold for the connections that are open and for those to come. They add up until `heal`.
 *
 * A Cluster or a Sentinel tells its clients addresses of its own; lead these through proxies by the client's address
 * map (`natMap` of ioredis).
 *
 * @example
 * ```ts
 * import { CacheManager } from 'cachewell';
 * import { RedisBackend } from 'cachewell/redis';
 * import { FaultProxy } from 'cachewell/testing';
 *
 * const proxy = await FaultProxy.start({ target: 'redis://127.0.0.1:6379', protocol: 'resp' });
 * const manager = new CacheManager({ backend: new RedisBackend({ url: proxy.url }) });
 * proxy.swallow();             // connections stay open, and nothing arrives
 * await proxy.heal();
 * proxy.faultMessages('drop', { times: 1 });
 * await manager.close();
 * await proxy.close();
 * ```
 */
export class FaultProxy implements AsyncDisposable {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #scheme: string;
  readonly #understandsResp: boolean;
  readonly #server: Server;
  readonly #links = new Set<FaultLink>();
  readonly #toServer: DirectionFaults = noFaults();
  readonly #toClient: DirectionFaults = noFaults();
  readonly #messages = new MessageFaults();
  readonly #bytes = { toServer: 0, toClient: 0, swallowed: 0 };
  #port = 0;
  #accepted = 0;
  #closing: Promise<void> | undefined;

  private constructor({ target, protocol = 'bytes' }: FaultProxyOptions) {
    const { host, port, scheme } = addressOf(target);
    this.#target = { host, port };
    this.#scheme = scheme;
    this.#understandsResp =
      expectOneOf('FaultProxy.protocol', protocol, ['bytes', 'resp']) === 'resp';
    // Half-closed connections stay so: the pipes pass an end on in its turn.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
      this.#accept(client),
    );
  }

  /**
   * Starts a proxy, which listens when this resolves.
   *
   * @throws {@link InvalidOptionError} naming the option, the value and what was expected
   */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    expectOptions('FaultProxy', options);
    rejectUnknown('FaultProxy', options, ['target', 'port', 'protocol']);
    const proxy = new FaultProxy(options);
    await proxy.#listen(expectInteger('FaultProxy.port', options.port ?? 0, 0, 65_535));
    return proxy;
  }

  /** Where it listens, on 127.0.0.1. */
  get port(): number {
    return this.#port;
  }

  /** Its own address, with the scheme of the target's URL. */
  get url(): string {
    return `${this.#scheme}127.0.0.1:${this.#port}`;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#links.size;
  }

  /** What went through so far. */
  get counts(): FaultProxyCounts {
    return {
      accepted: this.#accepted,
      bytesToServer: this.#bytes.toServer,
      bytesToClient: this.#bytes.toClient,
      bytesSwallowed: this.#bytes.swallowed,
      messages: { ...this.#messages.counts },
    };
  }

  /** Resets all open connections, on both sides. New ones are accepted. Gives how many there were. */
  cut(): number {
    const count = this.#links.size;
    for (const link of this.#links) link.destroy();
    return count;
  }

  /** Refuses new connections until `heal`; open ones go on. Resolves once nobody listens. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    // Its callback would wait for open connections as well; the port is free in the next turn.
    this.#server.close();
    await turn();
  }

  /**
   * Loses all bytes of a direction until `heal`: a black hole. Nobody is told, not even that the other side has closed.
   * What has lost bytes is reset by `heal`, for TCP never goes on behind a gap.
   */
  swallow(direction: ProxyDirection = 'both'): void {
    for (const faults of this.#directions(direction)) faults.isSwallowing = true;
  }

  /** Keeps all bytes of a direction back until `heal`, and delivers them then. Nobody is told anything meanwhile. */
  hold(direction: ProxyDirection = 'both'): void {
    for (const faults of this.#directions(direction)) faults.isHolding = true;
  }

  /** Lets bytes be under way for a while, in their order. A function is asked for each chunk. */
  delay(span: Duration | (() => Duration), direction: ProxyDirection = 'both'): void {
    const inMs = (given: Duration): number => toMilliseconds(given, 'FaultProxy.delay');
    const fixedMs = typeof span === 'function' ? 0 : inMs(span);
    const delayMs = typeof span === 'function' ? () => inMs(span()) : () => fixedMs;
    for (const faults of this.#directions(direction)) faults.delayMs = delayMs;
  }

  /**
   * Lets one side of all open connections vanish without a word, as when its machine loses power: its sockets are
   * gone, those of the other side stay open, unanswered, until `heal` resets them. New connections work.
   */
  abandon(side: 'server' | 'client' = 'server'): void {
    for (const link of this.#links) link.abandon(side);
  }

  /**
   * Drops, doubles or swaps messages of publish and subscribe on their way to subscribers. A message that fits several
   * faults meets the one that was set first.
   *
   * @throws {@link InvalidOptionError} when the proxy's `protocol` is not `'resp'`
   */
  faultMessages(kind: MessageFaultKind, options: MessageFaultOptions = {}): void {
    if (!this.#understandsResp) {
      throw new InvalidOptionError(
        'FaultProxy.faultMessages',
        "needs a proxy that was started with protocol: 'resp'",
      );
    }
    expectOneOf('FaultProxy.faultMessages', kind, ['drop', 'duplicate', 'swap']);
    rejectUnknown('FaultProxy.faultMessages', options, ['times', 'where']);
    this.#messages.add(kind, options);
  }

  /** Ends all faults; what is under way arrives now. Resolves once connections are accepted again. */
  async heal(): Promise<void> {
    for (const faults of [this.#toServer, this.#toClient]) Object.assign(faults, noFaults());
    this.#messages.clear();
    for (const link of this.#links) link.heal();
    if (!this.#server.listening && this.#closing === undefined) await this.#listen(this.#port);
  }

  /** Cuts all connections and stops listening. Calling it again gives the same promise. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve());
      else resolve();
      this.cut();
    });
    return this.#closing;
  }

  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #accept(client: Socket): void {
    this.#accepted++;
    const server = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const link = new FaultLink(client, server, {
      toServer: this.#toServer,
      toClient: this.#toClient,
      messages: this.#understandsResp ? this.#messages : undefined,
      bytes: this.#bytes,
      onOver: () => this.#links.delete(link),
    });
    this.#links.add(link);
  }

  #directions(direction: ProxyDirection): readonly DirectionFaults[] {
    expectOneOf('FaultProxy direction', direction, ['toServer', 'toClient', 'both']);
    if (direction === 'both') return [this.#toServer, this.#toClient];
    return [direction === 'toServer' ? this.#toServer : this.#toClient];
  }
}

function noFaults(): DirectionFaults {
  return { isSwallowing: false, isHolding: false, delayMs: undefined };
}

function addressOf(target: FaultProxyOptions['target']): {
  readonly host: string;
  readonly port: number;
  readonly scheme: string;
} {
  const option = 'FaultProxy.target';
  if (typeof target === 'object' && target !== null) {
    const { host = '127.0.0.1', port } = target;
    return {
      host: expectText(`${option}.host`, host),
      port: expectInteger(`${option}.port`, port, 1, 65_535),
      scheme: 'tcp://',
    };
  }
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url === undefined || url.hostname === '') {
    throw new InvalidOptionError(
      option,
      'expected a URL such as redis://127.0.0.1:6379, or { host, port }',
    );
  }
  const credentials = url.username === '' && url.password === '' ? '' : credentialsOf(url);
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: expectInteger(`${option}'s port`, port, 1, 65_535),
    scheme: `${url.protocol}//${credentials}`,
  };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'redis:': 6379, 'rediss:': 6379 };

function credentialsOf({ username, password }: URL): string {
  return `${username}${password === '' ? '' : `:${password}`}@`;
}
