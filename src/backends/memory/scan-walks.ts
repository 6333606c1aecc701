import type { ScanPage, ScanRequest } from '../../cache/backend.js';
import { InvalidOptionError } from '../../errors.js';
import { describeValue } from '../../options.js';
import { isLive, type MemoryNode } from './memory-node.js';

/** How many walks keep their place; others find it again by walking from the start. */
const MAX_WALKS = 8;
/** The least number of entries that a page looks at, so that a rare pattern does not need a page per key. */
const MIN_EXAMINED = 1_000;

/**
 * Pages of keys that stay correct while entries come and go.
 *
 * A cursor names the id of the last entry that was looked at and the last id that existed when the walk began.
 * Ids ascend in the order of the map, and a key keeps its id as long as it is there, however often it is
 * written: so it is met once, and keys that come later do not keep a walk from ending.
 */
export class ScanWalks {
  /** Iterators by the cursor at which they stand. A page is then found without skipping what came before. */
  private readonly open = new Map<string, Iterator<MemoryNode>>();

  /**
   * @param lastId - the highest id given so far
   * @throws {@link InvalidOptionError} when the cursor is not one of ours
   */
  page(
    nodes: ReadonlyMap<string, MemoryNode>,
    request: ScanRequest,
    lastId: number,
    now: number,
  ): ScanPage {
    const { cursor = '0', pattern } = request;
    const count = Math.max(1, request.count);
    const { lastSeenId, limit } = parseCursor(cursor, lastId);
    let after = lastSeenId;
    const walk = this.open.get(cursor) ?? nodes.values();
    this.open.delete(cursor);
    const keys: string[] = [];
    let examined = 0;
    while (keys.length < count && examined < Math.max(count, MIN_EXAMINED)) {
      const next = walk.next();
      if (next.done === true || next.value.id > limit) return { keys, cursor: '0' };
      const node = next.value;
      if (node.id <= after) continue;
      after = node.id;
      examined += 1;
      const isWanted = pattern === undefined || pattern.matches(node.key);
      if (isWanted && isLive(node, now)) keys.push(node.key);
    }
    return { keys, cursor: this.keep(`${after}-${limit}`, walk) };
  }

  /** The cache was cleared: no walk goes on over its old entries. */
  forget(): void {
    this.open.clear();
  }

  private keep(cursor: string, walk: Iterator<MemoryNode>): string {
    this.open.set(cursor, walk);
    if (this.open.size > MAX_WALKS) this.open.delete(this.open.keys().next().value!);
    return cursor;
  }
}

function parseCursor(cursor: string, lastId: number): { lastSeenId: number; limit: number } {
  if (cursor === '0') return { lastSeenId: 0, limit: lastId };
  const match = /^(\d+)-(\d+)$/.exec(cursor);
  if (match !== null) return { lastSeenId: Number(match[1]), limit: Number(match[2]) };
  throw new InvalidOptionError(
    'cursor',
    `expected '0' or the cursor of the last page, got ${describeValue(cursor)}`,
  );
}
