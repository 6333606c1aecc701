import { createHash } from 'node:crypto';
import { COLLECTION_COMMANDS } from './collection-commands.js';
import { KEY_COMMANDS } from './key-commands.js';
import { Keyspace, type Touch } from './keyspace.js';
import { textArgument } from './lua-library.js';
import { luaScript } from './lua-runtime.js';
import { LuaError, LuaTable, type LuaValue } from './lua-value.js';
import type { CommandTable } from './redis-command.js';
import { integerOf, OK, ReplyError, StatusReply, type Reply } from './redis-reply.js';

const COMMANDS: CommandTable = { ...KEY_COMMANDS, ...COLLECTION_COMMANDS };
/**
 * What a command takes that changes something, so that no two do it in the same microsecond. In milliseconds; far too
 * little for the order of commands to show in times that are told in milliseconds.
 */
const CHANGE_MS = 0.001;
const digests = new Map<string, string>();

/** What the server has just executed, for those who decide what may happen in which order. */
export interface Executed {
  readonly reply: Reply;
  /** The keys that decided the reply, or that were changed; `undefined` stands for a walk over all. */
  readonly touched: ReadonlyMap<string | undefined, Touch>;
}

/**
 * A Redis server inside this process: a keyspace, the commands that this library uses, and its scripts, which run as
 * they are. A command is executed as a whole, scripts included. The time is the caller's.
 *
 * `simulated-redis.it.spec.ts` compares it with a real server.
 */
export class SimulatedRedis {
  readonly space: Keyspace;
  /** Told of what is published: channel and message. */
  onPublish: (channel: string, message: string) => number = () => 0;
  readonly #scripts = new Map<string, string>();
  #changes = 0;

  /** @param nowMs - milliseconds since the epoch; the server's clock goes on from there with each change */
  constructor(nowMs: () => number) {
    this.space = new Keyspace(() => nowMs() + this.#changes * CHANGE_MS);
  }

  /** Executes a command; never throws for what Redis would answer with an error. */
  execute(name: string, args: readonly string[]): Executed {
    const touched = this.space.startCommand();
    let reply: Reply;
    try {
      reply = this.#run(name.toLowerCase(), args);
    } catch (error) {
      if (error instanceof ReplyError) reply = error;
      else if (error instanceof LuaError) reply = new ReplyError(scriptFailure(error));
      else throw error;
    }
    if (this.space.isChanged) this.#changes++;
    return { reply, touched };
  }

  /** Forgets the scripts that it was told, as after a restart. */
  forgetScripts(): void {
    this.#scripts.clear();
  }

  #run(name: string, args: readonly string[]): Reply {
    switch (name) {
      case 'evalsha': {
        const text = this.#scripts.get(args[0]!.toLowerCase());
        if (text === undefined)
          throw new ReplyError('NOSCRIPT No matching script. Please use EVAL.');
        return this.#evaluate(text, args);
      }
      case 'eval':
        this.#learn(args[0]!);
        return this.#evaluate(args[0]!, args);
      case 'script':
        return this.#script(args);
      default:
        return this.#command(name, args);
    }
  }

  #command(name: string, args: readonly string[]): Reply {
    if (name === 'ping') return new StatusReply('PONG');
    if (name === 'info') return 'redis_version:7.0.15\r\nrole:master\r\n';
    if (name === 'publish' || name === 'spublish') {
      this.space.isChanged = true;
      return this.onPublish(args[0]!, args[1]!);
    }
    if (name === 'wait') return 0;
    const command = COMMANDS[name];
    if (command === undefined) {
      throw new ReplyError(`ERR unknown command '${name}' of the simulated Redis`);
    }
    return command(this.space, ...args);
  }

  #script([action, text = '']: readonly string[]): Reply {
    switch (action?.toLowerCase()) {
      case 'load':
        return this.#learn(text);
      case 'exists':
        return [Number(this.#scripts.has(text.toLowerCase()))];
      case 'flush':
        this.forgetScripts();
        return OK;
      default:
        throw new ReplyError('ERR unknown subcommand of SCRIPT');
    }
  }

  #learn(text: string): string {
    let sha1 = digests.get(text);
    if (sha1 === undefined) {
      sha1 = createHash('sha1').update(text, 'latin1').digest('hex');
      digests.set(text, sha1);
    }
    this.#scripts.set(sha1, text);
    return sha1;
  }

  #evaluate(text: string, args: readonly string[]): Reply {
    const keyCount = integerOf(args[1]!);
    const call = (isProtected: boolean) => {
      return (...given: LuaValue[]): LuaValue => {
        const [name, ...rest] = given.map(commandArgument);
        try {
          return toLua(this.#command(name!.toLowerCase(), rest));
        } catch (error) {
          if (!(error instanceof ReplyError)) throw error;
          if (isProtected) return errorTable(error.message);
          throw new LuaError(errorTable(error.message));
        }
      };
    };
    const redis = new LuaTable();
    redis.set('call', call(false));
    redis.set('pcall', call(true));
    redis.set('error_reply', (message) => errorTable(textArgument(message)));
    redis.set('status_reply', (status) => tableWith('ok', status));
    redis.set('sha1hex', (value) =>
      createHash('sha1').update(textArgument(value), 'latin1').digest('hex'),
    );
    redis.set('log', () => undefined);
    redis.set('replicate_commands', () => true);
    redis.set('LOG_WARNING', 3);
    const globals = new Map<string, LuaValue>([
      ['KEYS', LuaTable.of(args.slice(2, 2 + keyCount))],
      ['ARGV', LuaTable.of(args.slice(2 + keyCount))],
      ['redis', redis],
    ]);
    return fromLua(luaScript(text)(globals));
  }
}

function scriptFailure(error: LuaError): string {
  return error.value instanceof LuaTable ? error.message : `ERR ${error.message}`;
}

function tableWith(name: string, value: LuaValue): LuaTable {
  const table = new LuaTable();
  table.set(name, value);
  return table;
}

function errorTable(message: string): LuaTable {
  return tableWith('err', message);
}

function commandArgument(value: LuaValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new LuaError('Lua redis lib command arguments must be strings or integers');
}

/** Redis: "Redis Lua API reference", "Data type conversion". */
function toLua(reply: Reply): LuaValue {
  if (typeof reply === 'string' || typeof reply === 'number') return reply;
  if (reply === null) return false;
  if (reply instanceof StatusReply) return tableWith('ok', reply.text);
  if (reply instanceof ReplyError) return errorTable(reply.message);
  return LuaTable.of(reply.map(toLua));
}

function fromLua(value: LuaValue): Reply {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return Math.trunc(value);
    case 'boolean':
      return value ? 1 : null;
    case 'object': {
      const [error, status] = [value.get('err'), value.get('ok')];
      if (typeof error === 'string') return new ReplyError(error);
      if (typeof status === 'string') return new StatusReply(status);
      const end = value.list.indexOf(undefined);
      return (end < 0 ? value.list : value.list.slice(0, end)).map(fromLua);
    }
    default:
      return null;
  }
}
