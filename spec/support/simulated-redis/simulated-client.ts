import { EventEmitter } from 'node:events';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { ReplyError, StatusReply, type Reply } from './redis-reply.js';

/** How a command gets to a server, and its answer back. Rejects with a {@link ReplyError} that Redis answers. */
export type Wire = (command: string, args: readonly string[]) => Promise<Reply>;

/** How a channel is listened to. */
export type Channels = (channel: string, listener: (message: string) => void) => Promise<void>;

/**
 * A client as the Redis backend sees it, over a wire that the spec holds. It is connected from the start.
 *
 * A duplicate can only listen, and the spec says to what.
 */
export class SimulatedClient extends EventEmitter implements RedisLike {
  readonly options = { host: 'simulated', port: 6379 };
  status = 'ready';
  readonly #wire: Wire;
  readonly #channels: Channels | undefined;

  constructor(wire: Wire, channels?: Channels) {
    super();
    this.#wire = wire;
    this.#channels = channels;
  }

  async connect(): Promise<void> {
    this.emit('ready');
  }

  duplicate(): SimulatedClient {
    if (this.#channels === undefined) throw new Error('nothing can be listened to here');
    return new SimulatedClient(async () => new StatusReply('PONG'), this.#channels);
  }

  async subscribe(channel: string): Promise<void> {
    await this.#channels!(channel, (message) => {
      if (this.status === 'ready') this.emit('message', channel, message);
    });
  }

  async ping(): Promise<string> {
    return textOf(await this.#wire('ping', []));
  }

  async info(): Promise<string> {
    return textOf(await this.#wire('info', []));
  }

  async pttl(key: string): Promise<number> {
    return (await this.#wire('pttl', [bytesOf(key)])) as number;
  }

  async pexpire(key: string, milliseconds: number): Promise<number> {
    return (await this.#wire('pexpire', [bytesOf(key), String(milliseconds)])) as number;
  }

  async mgetBuffer(...keys: string[]): Promise<(Buffer | null)[]> {
    return buffersOf(await this.#wire('mget', keys.map(bytesOf))) as (Buffer | null)[];
  }

  async scan(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    countToken: 'COUNT',
    count: number,
  ): Promise<[cursor: string, keys: string[]]> {
    const args = [cursor, match, bytesOf(pattern), countToken, String(count)];
    const [next, keys] = (await this.#wire('scan', args)) as [string, string[]];
    return [next, keys.map(textOf)];
  }

  async callBuffer(
    command: string,
    ...commandArguments: (string | Buffer | number)[]
  ): Promise<unknown> {
    return buffersOf(await this.#wire(command, commandArguments.map(bytesOf)));
  }

  async quit(): Promise<string> {
    this.disconnect();
    return 'OK';
  }

  disconnect(): void {
    this.status = 'end';
  }
}

const ASCII = /^[\0-\x7f]*$/;
/** Long texts come again and again: they are scripts. */
const LONG = 500;
const scripts = new Map<string, string>();

/** An argument as a text of bytes. */
export function bytesOf(argument: string | Buffer | number): string {
  if (typeof argument === 'number') return String(argument);
  if (typeof argument !== 'string') return argument.toString('latin1');
  if (argument.length < LONG) return encoded(argument);
  let bytes = scripts.get(argument);
  if (bytes === undefined) scripts.set(argument, (bytes = encoded(argument)));
  return bytes;
}

function encoded(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text).toString('latin1');
}

function textOf(reply: Reply): string {
  const bytes = reply instanceof StatusReply ? reply.text : (reply as string);
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString();
}

/** A reply as a client gives it that was asked for buffers. */
export function buffersOf(reply: Reply): unknown {
  if (reply === null || typeof reply === 'number' || reply instanceof ReplyError) return reply;
  if (typeof reply === 'string') return Buffer.from(reply, 'latin1');
  if (reply instanceof StatusReply) return Buffer.from(reply.text, 'latin1');
  return reply.map(buffersOf);
}
