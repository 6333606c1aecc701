import { LEASES } from './lease-scripts.js';
import { FRAMES, LOGS, NUMBERS, PATTERNS_SUFFIX, SEQUENCE, WATCHES } from './redis-lua.js';
import { defineScript, type RedisScript } from './redis-script.js';
import { LIVENESS, MARKERS, TAGS } from './redis-tag-lua.js';

// Scripts that make entries void, and what follows from it.
// Unless said otherwise, KEYS begins with the cache's generation, the sequence and the registry of generations, and
// ARGV[1] is the prefix of tag markers. The last argument of those that hand out numbers is the highest number that
// the client knows. All of them do their work when the server's memory is full. Numbers that count (sequence, generation, lineage) travel as text.

/**
 * Deletes entries and their fences, and ends their leases; answers how many of them were live. KEYS: generation,
 * entries…; ARGV: prefix of tag markers, channels.
 */
export const DELETE: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  MARKERS,
  LIVENESS,
  WATCHES,
  LEASES,
  `
local generation = generationAt(KEYS[1])
local count = 0
for index = 2, #KEYS do
  local key = KEYS[index]
  local head = generation and headOf(key)
  if head and isLive(key, head, generation, ARGV[1]) then count = count + 1 end
  redis.call('UNLINK', key, key .. FENCE)
  note(KEYS[1] .. WATCHES, key)
  endLease(key)
end
send(ARGV[2])
return count`,
);

/** Deletes entries and their fences, and ends their leases, without counting. KEYS: generation, entries…; ARGV: channels. */
export const VOID: RedisScript = defineScript(
  NUMBERS,
  WATCHES,
  LEASES,
  `
for index = 2, #KEYS do
  redis.call('UNLINK', KEYS[index], KEYS[index] .. FENCE)
  note(KEYS[1] .. WATCHES, KEYS[index])
  endLease(KEYS[index])
end
send(ARGV[1])
return 1`,
);

/** Makes a cache's entries and tokens void; answers the new generation, which is the sequence, too. ARGV: known. */
export const CLEAR: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  `
force(KEYS[1])
local before, floor = generationAt(KEYS[1])
current(KEYS[2], KEYS[3], KEYS[1])
if before then catchUp(KEYS[2], math.max(tonumber(before), tonumber(floor))) end
local generation = advance(KEYS[2], KEYS[3])
redis.call('SET', KEYS[1], generation .. ' ' .. generation)
redis.pcall('SADD', KEYS[3], KEYS[1])
return generation`,
);

/** Makes the tokens void whose keys match a pattern: the first step of deleting by it. ARGV: lease, pattern, known. */
export const VOID_TOKENS: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  LOGS,
  `
force(KEYS[1])
local generation, floor = generationOf(KEYS[1], KEYS[2], KEYS[3])
local log = KEYS[1] .. '${PATTERNS_SUFFIX}'
openLog(log, floor, ARGV[1])
catchUp(KEYS[2], floor)
floor = advance(KEYS[2], KEYS[3])
record(log, floor, ARGV[2])
redis.call('SET', KEYS[1], generation .. ' ' .. floor)
return 1`,
);

/**
 * Makes every registered cache's entries and tokens void. KEYS: sequence, registry, known generations…; ARGV: what
 * stands before all keys, whether the known ones are all there are, the known number. Answers whether no cache can be
 * missing from the registry, and the generation keys.
 */
export const CLEAR_ALL: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  `
force(KEYS[1])
current(KEYS[1], KEYS[2])
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'set' and kind ~= 'none' then redis.call('UNLINK', KEYS[2]) end
for index = 3, #KEYS do redis.call('SADD', KEYS[2], KEYS[index]) end
if ARGV[2] == '1' then redis.call('SADD', KEYS[2], SENTINEL) end
local caches = {}
for _, key in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if sub(key, 1, #ARGV[1]) == ARGV[1] then
    local before, floor = generationAt(key)
    if before then catchUp(KEYS[1], math.max(tonumber(before), tonumber(floor))) end
    caches[#caches + 1] = key
  end
end
local generation = advance(KEYS[1], KEYS[2])
for _, key in ipairs(caches) do redis.call('SET', key, generation .. ' ' .. generation) end
return { redis.call('SISMEMBER', KEYS[2], SENTINEL), caches }`,
);

/**
 * Gives markers that are there the next number, for as long as they had, and logs it. With a rule, the one tag's
 * marker gets that instead, and is made if it is not there: fills under way may carry the tag without the others.
 * KEYS: sequence, registry; ARGV: prefix of tag markers, lease, the rule without its number or '', tags…, the known
 * number.
 */
export const INVALIDATE_TAGS: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  LOGS,
  MARKERS,
  TAGS,
  `
local log, lease, names = tagLog(ARGV[1]), ARGV[2], ARGV[3]
force(log)
openLog(log, current(KEYS[1], KEYS[2]), lease)
for index = 4, #ARGV - 1 do
  local number, rules = markerAt(ARGV[1] .. ARGV[index])
  if number then catchUp(KEYS[1], highest(number, rules)) end
end
local sequence = advance(KEYS[1], KEYS[2])
for index = 4, #ARGV - 1 do
  local tag = ARGV[index]
  local marker = ARGV[1] .. tag
  if names == '' then rewrite(marker, sequence)
  else
    local number, rules = markerAt(marker)
    if number then rewrite(marker, withRule(number, rules, sequence, names))
    else
      local last = redis.call('ZSCORE', log, '=' .. tag) or redis.call('ZSCORE', log, '~start')
      redis.call('SET', marker, withRule(whole(last), '', sequence, names), 'PX', whole(2 * lease))
    end
  end
  record(log, sequence, tag)
end
return sequence`,
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
