import { FRAMES, LOGS, NUMBERS, PATTERNS_SUFFIX, SEQUENCE, TAGS, WATCHES } from './redis-lua.js';
import { defineScript, type RedisScript } from './redis-script.js';

// Scripts that make entries void, and what follows from it.
// Unless said otherwise, KEYS begins with the cache's generation, the sequence and the registry of generations, and
// ARGV[1] is the prefix of tag markers. Numbers that count (sequence, generation, lineage) travel as text.

/** Deletes entries and their fences; answers how many of them were live. KEYS: generation, entries… */
export const DELETE: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  WATCHES,
  `
local generation = generationAt(KEYS[1])
local count = 0
for index = 2, #KEYS do
  local key = KEYS[index]
  local head = generation and headOf(key)
  if head and isLive(key, head, generation, ARGV[1]) then count = count + 1 end
  redis.call('UNLINK', key, key .. FENCE)
  note(KEYS[1] .. WATCHES, key)
end
return count`,
);

/** Makes a cache's entries and tokens void; answers the new generation, which is the sequence, too. */
export const CLEAR: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  `
local generation = advance(KEYS[2])
redis.call('SET', KEYS[1], generation .. ' ' .. generation)
redis.pcall('SADD', KEYS[3], KEYS[1])
return generation`,
);

/** Makes the tokens void whose keys match a pattern: the first step of deleting by it. ARGV: lease, pattern. */
export const VOID_TOKENS: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  LOGS,
  `
local generation, floor = generationOf(KEYS[1], KEYS[2], KEYS[3])
local log = KEYS[1] .. '${PATTERNS_SUFFIX}'
openLog(log, floor, ARGV[1])
floor = advance(KEYS[2])
record(log, floor, ARGV[2])
redis.call('SET', KEYS[1], generation .. ' ' .. floor)
return 1`,
);

/**
 * Makes every registered cache's entries and tokens void. KEYS: sequence, registry, known generations…; ARGV[1] is
 * what stands before all keys. Answers the generation keys.
 */
export const CLEAR_ALL: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  `
local generation = advance(KEYS[1])
if redis.call('TYPE', KEYS[2]).ok ~= 'set' then redis.call('UNLINK', KEYS[2]) end
for index = 3, #KEYS do redis.call('SADD', KEYS[2], KEYS[index]) end
local caches = {}
for _, key in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if sub(key, 1, #ARGV[1]) == ARGV[1] then
    redis.call('SET', key, generation .. ' ' .. generation)
    caches[#caches + 1] = key
  end
end
return caches`,
);

/**
 * Gives markers that are there the next number, for as long as they had, and logs it. KEYS: sequence; ARGV: prefix of
 * tag markers, lease, tags…
 */
export const INVALIDATE_TAGS: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  LOGS,
  TAGS,
  `
local log = tagLog(ARGV[1])
openLog(log, current(KEYS[1]), ARGV[2])
local sequence = advance(KEYS[1])
for index = 3, #ARGV do
  local marker = ARGV[1] .. ARGV[index]
  local left = redis.call('PTTL', marker)
  if left == -1 then redis.call('SET', marker, sequence)
  elseif left >= 0 then redis.call('SET', marker, sequence, 'PX', math.max(left, 1)) end
  record(log, sequence, ARGV[index])
end
return 1`,
);

/** Frees entries of earlier generations. KEYS: generation, entries… */
export const RECLAIM: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  `
local generation = generationAt(KEYS[1])
if not generation then return 0 end
local count = 0
for index = 2, #KEYS do
  local head = headOf(KEYS[index])
  if head and generationIn(head) < tonumber(generation) then count = count + redis.call('UNLINK', KEYS[index]) end
end
return count`,
);

/** Registers the generations of open caches again, should the registry have been lost. KEYS: registry, generations… */
export const PULSE: RedisScript = defineScript(
  NUMBERS,
  `
for index = 2, #KEYS do redis.pcall('SADD', KEYS[1], KEYS[index]) end
return clock()`,
);
