import type { Keyspace } from './keyspace.js';
import type { Reply } from './redis-reply.js';

/** What a command does. Arguments and answers are texts of bytes. */
export type RedisCommand = (space: Keyspace, ...args: string[]) => Reply;

/** Commands by name, in lower case. */
export type CommandTable = Readonly<Record<string, RedisCommand>>;
