import type { CallOptions, EntryOutline } from '../../cache/backend.js';
import { frameOutline } from '../../cache/entry-frame.js';
import { OUTLINES } from './entry-scripts.js';
import { KEYS_PER_WALK_SCRIPT } from './key-walk.js';
import { entryTimes } from './redis-entry-times.js';
import { chunks, type RedisStoreParts } from './redis-parts.js';
import { runScript } from './redis-script.js';
import { groupKeys, type StoreSite } from './store-site.js';

/**
 * What the headers of stored frames tell. The server sends 56 bytes of each and its remaining time, however large the
 * values are.
 */
export function outlinesOf(
  { connection, context }: RedisStoreParts,
  site: StoreSite,
  keys: readonly string[],
  options: CallOptions | undefined,
): Promise<readonly (EntryOutline | undefined)[]> {
  return connection.call(
    'outlines',
    async (client) => {
      const outlines = new Array<EntryOutline | undefined>(keys.length).fill(undefined);
      await Promise.all(
        groupKeys(site, keys).flatMap(({ parts: { generation }, indexes }) =>
          chunks(indexes, KEYS_PER_WALK_SCRIPT).map(async (part) => {
            const names = part.map((index) => generation.entryPrefix + keys[index]!);
            const reply = (await runScript(client, OUTLINES, names, [])) as unknown[];
            part.forEach((index, place) => {
              outlines[index] = outlineOf(reply[place], context.clock.now());
            });
          }),
        ),
      );
      return outlines;
    },
    (outlines) => outlines,
    options,
  );
}

function outlineOf(found: unknown, now: number): EntryOutline | undefined {
  if (!Array.isArray(found) || !Buffer.isBuffer(found[0])) return undefined;
  const frame = frameOutline(found[0]);
  const { expiresAt } = entryTimes(frame, Number(found[1]), now);
  return { expiresAt, sizeBytes: frame.rawLength };
}
