import { FRAME_KINDS, FRAME_MAGIC, FRAME_OFFSETS, FRAME_VERSION } from '../../cache/entry-frame.js';

/**
 * The Lua functions that the scripts share.
 *
 * - Numbers of the sequence travel as decimal text: a Lua number would print as `1.7e+15`.
 * - Keys that hold another type or garbage count as absent, so one foreign key cannot stop a whole cache.
 * - Fence keys and tag markers are derived from the keys and frames that a script is given.
 */

/** Between an entry's key and its fence. A key text never holds it: there `%` begins an escape. */
export const FENCE_SUFFIX = '%~';

/** Behind the key of a cache's generation: what was deleted or put, for puts that do not know their key yet. */
export const WATCHES_SUFFIX = '%~puts';

/** Behind the key of a cache's generation: the patterns that were deleted lately. */
export const PATTERNS_SUFFIX = '%~globs';

/** In the set of all generations: none is missing from it. */
export const REGISTRY_SENTINEL = '~complete';

/** The first letter of a lineage that stands for a watch. */
export const WATCH_MARK = 'w';

/** One more than an offset, for Lua counts from 1. */
const at = (offset: number): number => offset + 1;
const magic = `\\${FRAME_MAGIC >>> 8}\\${FRAME_MAGIC & 0xff}`;

/** Behind a key: never there, but deleted all the same. */
export const FORCE_SUFFIX = '%~none';

/**
 * Numbers and keys that hold them.
 *
 * A server whose memory is full refuses a script's first write, if it is of a kind that takes memory, and lets all
 * pass that come after a write (Redis: "Scripting with Lua", "EVAL out of memory"). `force` begins with a deletion,
 * which is never refused: what makes entries void has to work when memory is full. `memoryFault` tells, changing
 * nothing, whether it is full, before anything is written.
 */
export const NUMBERS: string = `
local byte, sub = string.byte, string.sub
local FENCE, WATCHES = '${FENCE_SUFFIX}', '${WATCHES_SUFFIX}'
local function whole(value) return string.format('%.0f', tonumber(value)) end
local function bigEndian(text, from, to)
  local value = 0
  for index = from, to do value = value * 256 + byte(text, index) end
  return value
end
local function digits(key)
  local value = redis.pcall('GET', key)
  if type(value) == 'string' and #value < 17 and string.match(value, '^%d+$') then return value end
  return nil
end
local function generationAt(key)
  local value = redis.pcall('GET', key)
  if type(value) ~= 'string' then return nil end
  return string.match(value, '^(%d+) (%d+)$')
end
local function force(key) redis.call('UNLINK', key .. '${FORCE_SUFFIX}') end
local function memoryFault(key)
  local answer = redis.pcall('SETRANGE', key, 0, '')
  if type(answer) == 'table' and answer.err and string.find(answer.err, 'OOM', 1, true) then return answer end
end
local function clock()
  local time = redis.call('TIME')
  return whole(time[1] * 1000 + math.floor(time[2] / 1000))
end
`;

/**
 * The sequence and the generations. Beside a cache's generation stands its floor: fills that began below it are
 * refused. It rises when keys are deleted by pattern, for a scan cannot see what is stored while it runs.
 *
 * A lost generation is replaced by a new one, which makes the entries of the lost one void. A lost sequence starts
 * again above the server's clock in microseconds, above what the caller knows (the last argument of every script
 * that takes numbers), and above every registered generation. A clock may have been set back meanwhile, so a stored
 * entry may carry a number that is higher than that and would withstand invalidations to come: all registered caches
 * are cleared in the same step. What is left is a marker of a tag with a higher number, which refuses fills: whoever
 * sees one lifts the sequence to it.
 *
 * The registry holds the sentinel if it was there from the first number on, so that no cache is missing from it. A
 * registry that was lost comes back without it.
 */
export const SEQUENCE: string = `
local SENTINEL, KNOWN = '${REGISTRY_SENTINEL}', tonumber(ARGV[#ARGV]) or 0
local function restart(sequence, registry, cache)
  local time = redis.call('TIME')
  local caches = redis.pcall('SMEMBERS', registry)
  if caches.err then caches = {} end
  local isFresh = #caches == 0 and KNOWN == 0
  if cache then caches[#caches + 1] = cache end
  local start, live = math.max(time[1] * 1000000 + time[2], KNOWN), {}
  for _, key in ipairs(caches) do
    local generation, floor = generationAt(key)
    if generation then
      live[#live + 1] = key
      start = math.max(start, tonumber(generation), tonumber(floor))
    end
  end
  start = whole(start + 1)
  redis.call('SET', sequence, start)
  for _, key in ipairs(live) do redis.call('SET', key, start .. ' ' .. start) end
  if isFresh and #live == 0 then redis.pcall('SADD', registry, SENTINEL) end
  return start
end
local function current(sequence, registry, cache)
  return digits(sequence) or restart(sequence, registry, cache)
end
local function advance(sequence, registry, cache)
  current(sequence, registry, cache)
  return whole(redis.call('INCR', sequence))
end
local function isAhead(seen, sequence) return tonumber(seen) > tonumber(sequence) end
local function catchUp(sequence, number)
  if tonumber(number) > ${Number.MAX_SAFE_INTEGER} then return end
  if tonumber(digits(sequence) or 0) < tonumber(number) then redis.call('SET', sequence, whole(number)) end
end
local function generationOf(cache, sequence, registry)
  current(sequence, registry, cache)
  local generation, floor = generationAt(cache)
  if not generation then
    generation = advance(sequence, registry)
    floor = generation
    redis.call('SET', cache, generation .. ' ' .. floor)
  end
  redis.pcall('SADD', registry, cache)
  return generation, floor
end
`;

/** What a stored entry says about itself, read from its header alone. */
export const FRAMES: string = `
local MAGIC, VERSION = '${magic}', ${FRAME_VERSION}
local function range(key, from, to)
  local value = redis.pcall('GETRANGE', key, from, to)
  if type(value) == 'string' then return value end
  return ''
end
local function headOf(key)
  local head = range(key, 0, ${FRAME_OFFSETS.tags - 1})
  if #head == ${FRAME_OFFSETS.tags} and sub(head, 1, 2) == MAGIC and byte(head, ${at(FRAME_OFFSETS.version)}) == VERSION
    and byte(head, ${at(FRAME_OFFSETS.kind)}) <= ${FRAME_KINDS.error} then return head end
  return nil
end
local function isNewer(key)
  local start = range(key, 0, 2)
  return #start == 3 and sub(start, 1, 2) == MAGIC and byte(start, 3) > VERSION
end
local function generationIn(head)
  return bigEndian(head, ${at(FRAME_OFFSETS.generation)}, ${FRAME_OFFSETS.generation + 8})
end
local function tagsIn(key, head)
  local length = bigEndian(head, ${at(FRAME_OFFSETS.tagsLength)}, ${FRAME_OFFSETS.tagsLength + 2})
  if length == 0 then return nil end
  local block, tags, index = range(key, ${FRAME_OFFSETS.tags}, ${FRAME_OFFSETS.tags - 1} + length), {}, 1
  while index < #block do
    local size = bigEndian(block, index, index + 1)
    tags[#tags + 1] = sub(block, index + 2, index + 1 + size)
    index = index + 2 + size
  end
  return tags, #block == length
end
local function sequenceIn(head)
  return bigEndian(head, ${at(FRAME_OFFSETS.sequence)}, ${FRAME_OFFSETS.sequence + 8})
end
`;

/**
 * Fences: beside an entry's key, the lineage that fills of the key share, and the number of loads that hold it.
 * The fence has a key of its own because a refresh may outlive the entry that it replaces.
 */
export const FENCES = `
local function fenceOf(key)
  local value = redis.pcall('GET', key .. FENCE)
  if type(value) ~= 'string' then return nil, 0 end
  local lineage, holders = string.match(value, '^(%d+) (%d+)$')
  return lineage, tonumber(holders or 0)
end
local function hold(key, lineage, lease)
  local held, holders = fenceOf(key)
  redis.call('SET', key .. FENCE, (held or lineage) .. ' ' .. whole((held and holders or 0) + 1), 'PX', lease)
  return held or lineage
end
local function letGo(key, lineage, holders)
  if holders <= 1 then return redis.call('UNLINK', key .. FENCE) end
  local left = redis.call('PTTL', key .. FENCE)
  if left > 0 then redis.call('SET', key .. FENCE, lineage .. ' ' .. whole(holders - 1), 'PX', left) end
end
`;

/**
 * Watches: which keys of a cache were deleted or put, kept only while there are puts under way whose key is not known
 * yet. A hash of counters, `~start` and `~now` beside one per key. It is lost as a whole or not at all, and without
 * it such puts are refused; when it grows too large it starts again, which refuses those under way.
 */
export const WATCHES = `
local MOST_WATCHED = 10000
local function watch(key, lease)
  local size = redis.call('HLEN', key)
  if size == 0 or size > MOST_WATCHED then
    local time = redis.call('TIME')
    local start = whole(time[1] * 1000000 + time[2])
    redis.call('UNLINK', key)
    redis.call('HSET', key, '~start', start, '~now', start)
  end
  redis.call('PEXPIRE', key, lease)
  return redis.call('HGET', key, '~now')
end
local function note(watches, key)
  if redis.call('EXISTS', watches) == 0 then return end
  local now = redis.pcall('HINCRBY', watches, '~now', 1)
  if type(now) == 'table' then redis.call('UNLINK', watches)
  else redis.call('HSET', watches, key, whole(now)) end
end
local function isUntouched(watches, key, since)
  local start = redis.call('HGET', watches, '~start')
  if not start or tonumber(start) > tonumber(since) then return false end
  return tonumber(redis.call('HGET', watches, key) or 0) <= tonumber(since)
end
`;

/**
 * Logs: sorted sets of what was invalidated lately, by number. `~start` carries the number from which on the log is
 * complete; a log that was lost, or that has dropped the time in question, knows nothing and so refuses.
 */
export const LOGS = `
local MOST_LOGGED = 10000
local function openLog(log, number, lease)
  if not redis.call('ZSCORE', log, '~start') then redis.call('ZADD', log, number, '~start') end
  redis.call('PEXPIRE', log, whole(2 * lease))
end
local function record(log, number, name)
  redis.call('ZADD', log, number, '=' .. name)
  if redis.call('ZCARD', log) <= MOST_LOGGED then return end
  local last = redis.call('ZRANGE', log, MOST_LOGGED / 2, MOST_LOGGED / 2, 'WITHSCORES')[2]
  redis.call('ZREMRANGEBYRANK', log, 0, MOST_LOGGED / 2)
  redis.call('ZADD', log, last, '~start')
end
local function completeFrom(log, since)
  local start = redis.call('ZSCORE', log, '~start')
  if start and tonumber(start) <= tonumber(since) then return start end
  return nil
end
`;
