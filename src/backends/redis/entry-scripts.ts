import { FRAME_OFFSETS } from '../../cache/entry-frame.js';
import { FRAMES, NUMBERS } from './redis-lua.js';
import { defineScript, type RedisScript } from './redis-script.js';
import { LIVENESS, MARKERS } from './redis-tag-lua.js';

// Scripts that look at entries.
// Unless said otherwise, KEYS begins with the cache's generation, the sequence and the registry of generations, and
// ARGV[1] is the prefix of tag markers. Numbers that count (sequence, generation, lineage) travel as text.

/**
 * Entries that are live, and strings that are no entries of ours (the reader reports them); `false` for the rest.
 * KEYS: generation, entries…
 */
export const READ_BODY: string = `
local generation = generationAt(KEYS[1])
local reply = {}
for index = 2, #KEYS do
  local key = KEYS[index]
  local head = headOf(key)
  reply[index - 1] = false
  if not head or (generation and isLive(key, head, generation, ARGV[1])) then
    local value = redis.pcall('GET', key)
    if type(value) == 'string' then reply[index - 1] = value end
  end
end
return reply`;

/** On one server, tags included. */
export const READ: RedisScript = defineScript(NUMBERS, FRAMES, MARKERS, LIVENESS, READ_BODY);

/**
 * Replaces an entry by itself with other times, if it is live and still the one that was read.
 * KEYS: generation, entry; ARGV: tag prefix, the header that was read, its checksum, lifetime, that of its tags'
 * markers, tags…, frame.
 */
export const EXPIRE_BODY: string = `
local key, lifetime = KEYS[2], ARGV[4]
local generation, head = generationAt(KEYS[1]), headOf(key)
if not generation or not head or head ~= ARGV[2] or range(key, -4, -1) ~= ARGV[3] then return 0 end
if not isLive(key, head, generation, ARGV[1]) then return 0 end
if lifetime == '0' then redis.call('SET', key, ARGV[#ARGV])
else redis.call('SET', key, ARGV[#ARGV], 'PX', lifetime) end
for index = 6, #ARGV - 1 do keep(ARGV[1] .. ARGV[index], ARGV[5]) end
return 1`;

/** On one server, tags included. */
export const EXPIRE: RedisScript = defineScript(NUMBERS, FRAMES, MARKERS, LIVENESS, EXPIRE_BODY);

/** Which entries are live, 1 or 0 each. KEYS: generation, entries… */
export const ARE_LIVE: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  MARKERS,
  LIVENESS,
  `
local generation = generationAt(KEYS[1])
local reply = {}
for index = 2, #KEYS do
  local head = generation and headOf(KEYS[index])
  reply[index - 1] = (head and isLive(KEYS[index], head, generation, ARGV[1])) and 1 or 0
end
return reply`,
);

/** What lists show of entries: header and remaining time each, `false` for what is none. KEYS: entries… */
export const OUTLINES: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  `
local reply = {}
for index = 1, #KEYS do
  local head = headOf(KEYS[index])
  reply[index] = head and { head, redis.call('PTTL', KEYS[index]) } or false
end
return reply`,
);

/** The bytes of a frame that {@link EXPIRE} compares. */
export const COMPARED_HEAD_BYTES: number = FRAME_OFFSETS.tags;
