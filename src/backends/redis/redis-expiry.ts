import type { CallOptions } from '../../cache/backend.js';
import type { OpenedFrame } from '../../cache/entry-framer.js';
import { FRAME_CHECKSUM_BYTES } from '../../cache/entry-frame.js';
import type { RedisLike } from './redis-like.js';
import type { RedisStoreParts } from './redis-parts.js';
import { COMPARED_HEAD_BYTES, EXPIRE, READ } from './entry-scripts.js';
import { runScript, type RedisScript } from './redis-script.js';
import { lifetimeText, markerLifetimeMs } from './redis-write-stamp.js';

/** An entry that is replaced while its times are changed is tried again, so often. */
const MOST_ATTEMPTS = 3;

/** How it is done where the entry is. */
export interface ExpirySite {
  readonly read: RedisScript;
  readonly expire: RedisScript;
  /** Where scripts do not see tags: whether they hold, after keeping their markers. */
  isLive?(client: RedisLike, frame: OpenedFrame, markerLifetime: string): Promise<boolean>;
}

const SERVER: ExpirySite = { read: READ, expire: EXPIRE };

/**
 * Sets a live entry's expiries: reads it, frames it anew with other times, and puts it back if it is still the same.
 * Tokens of the key stay what they are.
 */
export function changeExpiry(
  parts: RedisStoreParts,
  key: string,
  ttlMs: number,
  retainMs: number,
  options?: CallOptions,
  site: ExpirySite = SERVER,
): Promise<boolean> {
  return parts.connection.call(
    'expire',
    async (client, call) => {
      for (let attempt = 1; attempt <= MOST_ATTEMPTS && !call.isSettled; attempt++) {
        const outcome = await attemptOnce(parts, site, client, key, ttlMs, retainMs);
        if (outcome !== 'changed') return outcome === 'done';
      }
      return false;
    },
    (isDone) => isDone,
    options,
  );
}

async function attemptOnce(
  parts: RedisStoreParts,
  site: ExpirySite,
  client: RedisLike,
  key: string,
  ttlMs: number,
  retainMs: number,
): Promise<'done' | 'absent' | 'changed'> {
  const { generation, keys, context } = parts;
  const name = generation.entryPrefix + key;
  const [[bytes], remainingMs] = (await Promise.all([
    runScript(client, site.read, [generation.key, name], [keys.tagPrefix]),
    client.pttl(name),
  ])) as [[Buffer | null], number];
  if (bytes === null) return 'absent';
  const frame = parts.reader.open(key, bytes, 'expire');
  if (frame === undefined) return 'absent';
  const kept = lifetimeText(markerLifetimeMs({ expiresAt: ttlMs, retainedUntil: retainMs }, 0));
  if ((await site.isLive?.(client, frame, kept)) === false) return 'absent';
  const ageMs = ageOf(frame, remainingMs, context.clock.now());
  const renewed = context.framer.frame(
    {
      codecId: frame.codecId,
      compressorId: frame.compressorId,
      kind: frame.kind,
      rawLength: frame.rawLength,
      bytes: frame.payload,
    },
    { ...frame, ttlMs: ageMs + ttlMs, retainMs: ageMs + retainMs },
  );
  const isDone = await runScript(
    client,
    site.expire,
    [generation.key, name],
    [
      keys.tagPrefix,
      bytes.subarray(0, COMPARED_HEAD_BYTES),
      bytes.subarray(-FRAME_CHECKSUM_BYTES),
      lifetimeText(retainMs),
      kept,
      ...(site.isLive === undefined ? frame.tags : []),
      renewed,
    ],
  );
  return Number(isDone) === 1 ? 'done' : 'changed';
}

/** By the server's clock where it can tell. */
function ageOf(frame: OpenedFrame, remainingMs: number, now: number): number {
  // Reads move the remaining time of an entry whose expiry slides.
  const isSliding = frame.retainMs < frame.ttlMs;
  if (remainingMs >= 0 && frame.retainMs !== Infinity && !isSliding) {
    return Math.max(0, frame.retainMs - remainingMs);
  }
  return Math.max(0, now - frame.createdAt);
}
