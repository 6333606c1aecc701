import { createHash } from 'node:crypto';
import type { RedisLike } from './redis-like.js';

/** A step that Redis executes as a whole (Redis: "Scripting with Lua", "Atomic execution of scripts"). */
export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

const defined: RedisScript[] = [];

/** Makes a script of parts, the functions that it uses before its own text. */
export function defineScript(...parts: readonly string[]): RedisScript {
  const text = parts.join('').trim();
  const script = Object.freeze({ text, sha1: createHash('sha1').update(text).digest('hex') });
  defined.push(script);
  return script;
}

/**
 * Makes the server know all scripts. What is sent after it needs no second attempt by the text, so commands keep
 * their order; where it is not allowed, the second attempt remains.
 */
export function loadScripts(client: RedisLike): void {
  const nodes = client.isCluster === true ? (client.nodes?.('master') ?? []) : [client];
  for (const node of nodes) {
    for (const { text } of defined) {
      node.callBuffer('script', 'LOAD', text).catch(() => undefined);
    }
  }
}

/**
 * Runs a script by its hash, and by its text where the server does not know it yet.
 *
 * @param mayRepeat - asked before the text is sent, for a later command may have overtaken the first attempt
 */
export async function runScript(
  client: RedisLike,
  { sha1, text }: RedisScript,
  keys: readonly string[],
  args: readonly (string | Buffer)[],
  mayRepeat: () => boolean = () => true,
): Promise<unknown> {
  try {
    return await client.callBuffer('evalsha', sha1, keys.length, ...keys, ...args);
  } catch (error) {
    const isUnknown = error instanceof Error && error.message.startsWith('NOSCRIPT');
    if (!isUnknown || !mayRepeat()) throw error;
    return client.callBuffer('eval', text, keys.length, ...keys, ...args);
  }
}
