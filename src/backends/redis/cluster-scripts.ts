import { EXPIRE_BODY, READ_BODY } from './entry-scripts.js';
import { STORE_BODY } from './fill-scripts.js';
import { LEASES } from './lease-scripts.js';
import {
  FENCES,
  FRAMES,
  LOGS,
  NUMBERS,
  PATTERNS_SUFFIX,
  REGISTRY_SENTINEL,
  WATCHES,
} from './redis-lua.js';
import { defineScript, type RedisScript } from './redis-script.js';
import { MARKERS, TAGS } from './redis-tag-lua.js';

// What runs on a Cluster, where no script sees two slots. Scripts of a bucket know nothing of tags and of the
// sequence; those of the head (sequence, registry, log, lost) and of a marker know nothing else. A marker is deleted before it is
// written, and the head begins with `force`: bookkeeping goes on when memory is full.

/**
 * In a bucket: the generation is made by the client, with a number of the head, and the highest number that a write
 * needs is the bucket's floor.
 */
const BUCKET_SEQUENCE = `
local function generationOf(key) return generationAt(key) end
local function current(key)
  local _, floor = generationAt(key)
  return floor
end
local function isAhead() return false end
`;

/** In a bucket: whether an entry's tags hold is for the client to say. */
const BUCKET_LIVENESS = `
local function isLive(key, head, generation) return generationIn(head) == tonumber(generation) end
local function stateOf(key, generation)
  local head = generation and headOf(key)
  if not head or not isLive(key, head, generation) then return 0 end
  local tags, isWhole = tagsIn(key, head)
  if not tags then return 1 end
  if not isWhole then return 0 end
  table.insert(tags, 1, whole(sequenceIn(head)))
  return tags
end
`;

/**
 * Takes tokens. KEYS: generation, entries…; ARGV: lease, a lineage per entry. Answers the generation, server time, the
 * floor, and per entry its value or `false` and the lineage; nothing at all when the generation is lost.
 */
export const BUCKET_BEGIN: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  FENCES,
  BUCKET_LIVENESS,
  `
local generation, floor = generationAt(KEYS[1])
if not generation then return false end
local reply = { generation, clock(), floor }
for index = 2, #KEYS do
  local key, value = KEYS[index], false
  local head = headOf(key)
  if head and isLive(key, head, generation) then value = redis.call('GET', key)
  elseif head then redis.call('UNLINK', key) end
  reply[#reply + 1] = value
  reply[#reply + 1] = hold(key, ARGV[index], ARGV[1])
end
return reply`,
);

/** As `STORE`, without tags, and with nothing for an answer when the generation is lost. */
export const BUCKET_STORE: RedisScript = defineScript(
  NUMBERS,
  BUCKET_SEQUENCE,
  FRAMES,
  FENCES,
  WATCHES,
  LOGS,
  MARKERS,
  TAGS,
  STORE_BODY,
);

/** Takes a token for any key of the bucket. ARGV: lease. Answers generation, server time, floor, token; or nothing. */
export const BUCKET_WATCH: RedisScript = defineScript(
  NUMBERS,
  WATCHES,
  `
local generation, floor = generationAt(KEYS[1])
if not generation then return false end
return { generation, clock(), floor, watch(KEYS[1] .. WATCHES, ARGV[1]) }`,
);

/** As `READ`, by generation alone. */
export const BUCKET_READ: RedisScript = defineScript(NUMBERS, FRAMES, BUCKET_LIVENESS, READ_BODY);

/** As `EXPIRE`, by generation alone. */
export const BUCKET_EXPIRE: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  MARKERS,
  BUCKET_LIVENESS,
  EXPIRE_BODY,
);

/** Per entry: 0, 1 for a live one without tags, or its sequence and its tags. KEYS: generation, entries… */
export const BUCKET_STATES: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  BUCKET_LIVENESS,
  `
local generation = generationAt(KEYS[1])
local reply = {}
for index = 2, #KEYS do reply[index - 1] = stateOf(KEYS[index], generation) end
return reply`,
);

/** Deletes entries and their fences, and ends their leases; answers what they were, as {@link BUCKET_STATES}. ARGV: channels. */
export const BUCKET_DELETE: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  BUCKET_LIVENESS,
  WATCHES,
  LEASES,
  `
local generation = generationAt(KEYS[1])
local reply = {}
for index = 2, #KEYS do
  local key = KEYS[index]
  reply[index - 1] = stateOf(key, generation)
  redis.call('UNLINK', key, key .. FENCE)
  note(KEYS[1] .. WATCHES, key)
  endLease(key)
end
send(ARGV[1])
return reply`,
);

/**
 * Gives a bucket the generation of a number. ARGV: number, and `1` to leave one that is there. Answers the generation
 * that is there now: one that is not lower is left, and tells the client to take a higher number.
 */
export const BUCKET_RAISE: RedisScript = defineScript(
  NUMBERS,
  `
force(KEYS[1])
local generation, floor = generationAt(KEYS[1])
if generation and (ARGV[2] == '1' or tonumber(generation) >= tonumber(ARGV[1])) then return generation end
if not floor or tonumber(floor) < tonumber(ARGV[1]) then floor = ARGV[1] end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. floor)
return ARGV[1]`,
);

/**
 * Makes the bucket's tokens void whose keys match a pattern. ARGV: lease, pattern, number. Answers '' when it is done:
 * each pattern needs a floor of its own, so one that is not lower tells the client to take a higher number. Without a
 * generation every token is void.
 */
export const BUCKET_VOID_TOKENS: RedisScript = defineScript(
  NUMBERS,
  LOGS,
  `
force(KEYS[1])
local generation, floor = generationAt(KEYS[1])
if not generation then return '' end
if tonumber(floor) >= tonumber(ARGV[3]) then return floor end
local log = KEYS[1] .. '${PATTERNS_SUFFIX}'
openLog(log, floor, ARGV[1])
record(log, ARGV[3], ARGV[2])
redis.call('SET', KEYS[1], generation .. ' ' .. ARGV[3])
return ''`,
);

/**
 * In the head: a lost sequence starts again above the clock and what the client knows. The buckets are out of reach,
 * so `lost` says that all of them have to be cleared before an invalidation by tags may count as done.
 */
const HEAD = `
local SENTINEL, KNOWN = '${REGISTRY_SENTINEL}', tonumber(ARGV[#ARGV]) or 0
local function catchUp(sequence, number)
  if tonumber(digits(sequence) or 0) < number then redis.call('SET', sequence, whole(number)) end
end
local function current()
  local sequence, registry, lost = KEYS[1], KEYS[2], KEYS[4]
  if not digits(sequence) then
    local time = redis.call('TIME')
    local start = whole(math.max(time[1] * 1000000 + time[2], KNOWN) + 1)
    if KNOWN == 0 and redis.call('EXISTS', registry) == 0 then redis.pcall('SADD', registry, SENTINEL)
    else redis.call('SET', lost, start) end
    redis.call('SET', sequence, start)
  end
  catchUp(sequence, KNOWN)
  return digits(sequence)
end
local function advance()
  current()
  return whole(redis.call('INCR', KEYS[1]))
end
`;

/** Begins fills: answers the sequence, with a log that is complete from it on. ARGV: lease, the known number. */
export const HEAD_LOOK: RedisScript = defineScript(
  NUMBERS,
  LOGS,
  HEAD,
  `
local sequence = current()
openLog(KEYS[3], sequence, ARGV[1])
return sequence`,
);

/** Hands out a number, and registers a cache. ARGV: cache or '', the known number. */
export const HEAD_TAKE: RedisScript = defineScript(
  NUMBERS,
  HEAD,
  `
force(KEYS[1])
local number = advance()
if ARGV[1] ~= '' then redis.pcall('SADD', KEYS[2], ARGV[1]) end
return number`,
);

/**
 * Logs an invalidation of tags. ARGV: lease, tags…, the known number. Answers its number, what `lost` holds, and the
 * number that the first tag had in the log.
 */
export const HEAD_INVALIDATE: RedisScript = defineScript(
  NUMBERS,
  LOGS,
  HEAD,
  `
force(KEYS[1])
openLog(KEYS[3], current(), ARGV[1])
local before = redis.call('ZSCORE', KEYS[3], '=' .. ARGV[2]) or redis.call('ZSCORE', KEYS[3], '~start')
local number = advance()
for index = 2, #ARGV - 1 do record(KEYS[3], number, ARGV[index]) end
return { number, redis.call('GET', KEYS[4]) or '', whole(before) }`,
);

/**
 * The numbers of tags in the log: of the last invalidation, or of the log's begin, below which nobody knows. ARGV:
 * lease, tags…, the known number.
 */
export const HEAD_LOGGED: RedisScript = defineScript(
  NUMBERS,
  LOGS,
  HEAD,
  `
force(KEYS[1])
openLog(KEYS[3], current(), ARGV[1])
local start = redis.call('ZSCORE', KEYS[3], '~start')
local reply = {}
for index = 2, #ARGV - 1 do reply[index - 1] = whole(redis.call('ZSCORE', KEYS[3], '=' .. ARGV[index]) or start) end
return reply`,
);

/**
 * Begins to clear all. ARGV: whether the caches given are all there are, caches…, the known number. Answers a number,
 * whether no cache is missing, what `lost` holds, and the caches.
 */
export const HEAD_CLEAR: RedisScript = defineScript(
  NUMBERS,
  HEAD,
  `
force(KEYS[1])
local number = advance()
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'set' and kind ~= 'none' then redis.call('UNLINK', KEYS[2]) end
for index = 2, #ARGV - 1 do redis.call('SADD', KEYS[2], ARGV[index]) end
if ARGV[1] == '1' then redis.call('SADD', KEYS[2], SENTINEL) end
local isComplete = redis.call('SISMEMBER', KEYS[2], SENTINEL)
return { number, isComplete, redis.call('GET', KEYS[4]) or '', redis.call('SMEMBERS', KEYS[2]) }`,
);

/** All caches were cleared since the sequence was lost. ARGV: what `lost` held then. */
export const HEAD_FOUND: RedisScript = defineScript(`
if redis.call('GET', KEYS[4]) == ARGV[1] then redis.call('UNLINK', KEYS[4]) end
return 1`);

/** Registers open caches again. ARGV: caches… */
export const HEAD_REGISTER: RedisScript = defineScript(`
for index = 1, #ARGV do redis.pcall('SADD', KEYS[2], ARGV[index]) end
return 1`);

/** What a marker is while somebody finds out its number: readers take it for absent. */
export const CLAIM_MARK = '?';

/**
 * Reads a marker and keeps it as long as an entry needs it. ARGV: lifetime or '', lease, a claim or ''. One that is
 * absent is claimed. Answers whether it was there, and its text or the claim that holds.
 */
export const MARK_CLAIM: RedisScript = defineScript(
  NUMBERS,
  MARKERS,
  `
local lifetime, lease, claim = ARGV[1], ARGV[2], ARGV[3]
if markerAt(KEYS[1]) then
  if lifetime ~= '' then keep(KEYS[1], lifetime) end
  return { 1, redis.call('GET', KEYS[1]) }
end
if claim == '' then return { 0, '' } end
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'string' and sub(value, 1, 1) == '${CLAIM_MARK}' then claim = value end
redis.call('UNLINK', KEYS[1])
redis.call('SET', KEYS[1], claim, 'PX', whole(2 * lease))
return { 0, claim }`,
);

/** Makes a marker of a claim that still holds. ARGV: claim, number, lifetime, lease. Answers the marker or `false`. */
export const MARK_CONFIRM: RedisScript = defineScript(
  NUMBERS,
  MARKERS,
  `
if redis.pcall('GET', KEYS[1]) == ARGV[1] then
  redis.call('UNLINK', KEYS[1])
  if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2])
  else redis.call('SET', KEYS[1], ARGV[2], 'PX', whole(math.max(ARGV[3] + 1000, 2 * ARGV[4]))) end
end
return markerAt(KEYS[1]) and redis.call('GET', KEYS[1])`,
);

/**
 * Gives a marker that is there a number. ARGV: number. A claim is broken: its number may be older. Where nothing is,
 * nothing is needed: no entry of the tag is live, and the head's log tells fills.
 */
export const MARK_RAISE: RedisScript = defineScript(
  NUMBERS,
  MARKERS,
  `
local number, rules = markerAt(KEYS[1])
if not number then return redis.call('UNLINK', KEYS[1]) end
if tonumber(number) < tonumber(ARGV[1]) then rewrite(KEYS[1], ARGV[1] .. rulesAbove(rules, ARGV[1])) end
return 1`,
);

/**
 * Adds a rule to a marker. ARGV: number, the rule, claim, the number for a marker made of the claim, lease. Breaks the
 * claim of anybody else.
 */
export const MARK_RULE: RedisScript = defineScript(
  NUMBERS,
  MARKERS,
  `
local number, rules = markerAt(KEYS[1])
if number then
  if tonumber(number) < tonumber(ARGV[1]) then rewrite(KEYS[1], withRule(number, rules, ARGV[1], ARGV[2])) end
elseif redis.pcall('GET', KEYS[1]) == ARGV[3] then
  redis.call('UNLINK', KEYS[1])
  redis.call('SET', KEYS[1], withRule(ARGV[4], '', ARGV[1], ARGV[2]), 'PX', whole(2 * ARGV[5]))
else
  redis.call('UNLINK', KEYS[1])
end
return 1`,
);
