import type { Redis } from 'ioredis';
import { commandId } from './command-watch.js';

/** A command that took long, by the wall: what the host did to Redis counts. */
export interface SlowCommand {
  /** See {@link commandId}. */
  readonly id: string;
  readonly ms: number;
}

const MOST = 1000;

/** Begins to note what takes longer, and forgets what was noted before. */
export async function resetSlowLog(nodes: readonly Redis[], slowMs: number): Promise<void> {
  for (const node of nodes) {
    await node.config('SET', 'slowlog-log-slower-than', String(slowMs * 1000));
    await node.config('SET', 'slowlog-max-len', String(MOST));
    await node.slowlog('RESET');
  }
}

/** What was slow since then. */
export async function slowCommands(nodes: readonly Redis[]): Promise<readonly SlowCommand[]> {
  const logs = await Promise.all(nodes.map((node) => node.slowlog('GET', MOST)));
  const entries = logs.flat() as readonly [
    id: number,
    at: number,
    us: number,
    words: readonly string[],
  ][];
  return entries.map(([, , us, [name = '', first]]) => ({
    id: commandId(name, first),
    ms: us / 1000,
  }));
}
