import {
  FENCES,
  FRAMES,
  LOGS,
  NUMBERS,
  PATTERNS_SUFFIX,
  SEQUENCE,
  WATCH_MARK,
  WATCHES,
} from './redis-lua.js';
import { defineScript, type RedisScript } from './redis-script.js';
import { LIVENESS, MARKERS, TAGS } from './redis-tag-lua.js';

// Scripts that take tokens and store under them.
// Unless said otherwise, KEYS begins with the cache's generation, the sequence and the registry of generations, and
// ARGV[1] is the prefix of tag markers. Numbers that count (sequence, generation, lineage) travel as text.

/** How the `store` script answers for one write; a text instead of a number is Redis' own error. */
export const STORE_OUTCOMES = { refused: 0, stored: 1, stale: 2, late: 3 } as const;

/**
 * Takes tokens. ARGV: tag prefix, lease, number of expected tags, those tags, a lineage per entry, the known number.
 * Answers generation, sequence, server time, then per entry its live value or `false` and the lineage that holds.
 * An entry that is void is dropped here; markers of expected tags are made, so that the fill finds them.
 */
export const BEGIN: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  FRAMES,
  FENCES,
  LOGS,
  MARKERS,
  LIVENESS,
  TAGS,
  `
local generation = generationOf(KEYS[1], KEYS[2], KEYS[3])
local sequence = current(KEYS[2], KEYS[3])
local lease, tags = ARGV[2], tonumber(ARGV[3])
openLog(tagLog(ARGV[1]), sequence, lease)
for index = 1, tags do
  accepts(ARGV[1], ARGV[3 + index], sequence, lease, {}, KEYS[2])
  keep(ARGV[1] .. ARGV[3 + index], lease)
end
sequence = current(KEYS[2], KEYS[3])
local reply = { generation, sequence, clock() }
for index = 4, #KEYS do
  local key, value = KEYS[index], false
  local head = headOf(key)
  if head and isLive(key, head, generation, ARGV[1]) then value = redis.call('GET', key)
  elseif head then redis.call('UNLINK', key) end
  reply[#reply + 1] = value
  reply[#reply + 1] = hold(key, ARGV[tags + index], lease)
end
return reply`,
);

/**
 * Stores entries, each under its fence. ARGV: tag prefix, lease, deadline of sets by the server's clock in ms, then
 * per entry kind (f, p, s), lineage, generation, sequence, lifetime in ms or 0, that of its tags' markers, the floor up
 * to which its writer has looked at patterns, number of tags, the tags, the frame. Answers generation, sequence, server time, and per entry an
 * outcome, or the patterns that were deleted since its fill began with the new floor behind them: whether the key
 * matches one is for the writer to say. The last argument is the known number.
 *
 * When the server's memory is full, no entry is written, and what a put or a set was to replace is void all the same.
 *
 * A deadline decides about sets because nothing else can tell that a command was given up by its sender: a server
 * that was frozen executes what lies in its socket, in whatever order it reads its sockets.
 */
export const STORE_BODY: string = `
local REFUSED, STORED, STALE, LATE = ${STORE_OUTCOMES.refused}, ${STORE_OUTCOMES.stored}, ${STORE_OUTCOMES.stale}, ${STORE_OUTCOMES.late}
local full = memoryFault(KEYS[1])
if full then force(KEYS[1]) end
local generation, floor = generationOf(KEYS[1], KEYS[2], KEYS[3])
if not generation then return false end
local sequence, now = current(KEYS[2], KEYS[3]), clock()
local lease, deadline = ARGV[2], ARGV[3]
local watches, patterns = KEYS[1] .. WATCHES, KEYS[1] .. '${PATTERNS_SUFFIX}'
local isLate = deadline == '' or tonumber(now) > tonumber(deadline)
local reply, isLogOpen = { generation, sequence, now }, false
local at = 4
for index = 4, #KEYS do
  local key = KEYS[index]
  local kind, lineage, stamp, seen = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local lifetime, kept = ARGV[at + 4], ARGV[at + 5]
  local cleared, tags = ARGV[at + 6], tonumber(ARGV[at + 7])
  local held, holders = fenceOf(key)
  local outcome = STORED
  if kind == 's' and isLate then outcome = LATE
  elseif stamp ~= generation or isAhead(seen, sequence) then outcome = STALE
  elseif tonumber(seen) < tonumber(floor) and cleared ~= floor then
    outcome = STALE
    if kind ~= 's' and completeFrom(patterns, seen) then
      outcome = redis.call('ZRANGEBYSCORE', patterns, '(' .. seen, floor)
      outcome[#outcome + 1] = floor
    end
  elseif kind == 'p' and sub(lineage, 1, 1) == '${WATCH_MARK}' then
    if not isUntouched(watches, key, sub(lineage, 2)) then outcome = REFUSED end
  elseif kind ~= 's' and held ~= lineage then outcome = REFUSED
  elseif kind == 'f' and isNewer(key) then outcome = REFUSED
  end
  if outcome == STORED and tags > 0 then
    if not isLogOpen then openLog(tagLog(ARGV[1]), sequence, lease) end
    isLogOpen = true
    local names = {}
    for tag = 1, tags do names[tag] = ARGV[at + 7 + tag] end
    for tag = 1, tags do
      if not accepts(ARGV[1], names[tag], seen, lease, names, KEYS[2]) then outcome = STALE end
    end
  end
  if outcome == STALE and kind ~= 's' then outcome = REFUSED end
  if outcome == STORED then
    local frame = ARGV[at + 8 + tags]
    local answer = full
    if full then
    elseif lifetime == '0' then answer = redis.pcall('SET', key, frame)
    else answer = redis.pcall('SET', key, frame, 'PX', lifetime) end
    if type(answer) == 'table' and answer.err then outcome = answer.err
    else for tag = 1, tags do keep(ARGV[1] .. ARGV[at + 7 + tag], kept) end end
  end
  if type(outcome) == 'table' then
  elseif kind == 'f' then
    if held and held == lineage then letGo(key, held, holders) end
  else
    if outcome == STORED then redis.call('UNLINK', key .. FENCE)
    elseif kind == 'p' or type(outcome) == 'string' then redis.call('UNLINK', key, key .. FENCE) end
    if outcome ~= STALE and outcome ~= LATE then note(watches, key) end
  end
  reply[index] = outcome
  at = at + 9 + tags
end
reply[2] = current(KEYS[2], KEYS[3])
return reply`;

/** Stores on one server, tags included. */
export const STORE: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  FRAMES,
  FENCES,
  WATCHES,
  LOGS,
  MARKERS,
  TAGS,
  STORE_BODY,
);

/**
 * Takes a token for a put whose key is not known yet. Answers generation, sequence, server time, and the token.
 * ARGV: lease, the known number.
 */
export const WATCH: RedisScript = defineScript(
  NUMBERS,
  SEQUENCE,
  WATCHES,
  `
local generation = generationOf(KEYS[1], KEYS[2], KEYS[3])
return { generation, current(KEYS[2], KEYS[3]), clock(), watch(KEYS[1] .. WATCHES, ARGV[1]) }`,
);

/** Gives tokens back. KEYS: entries…; ARGV: a lineage per entry. */
export const RELEASE: RedisScript = defineScript(
  NUMBERS,
  FENCES,
  `
for index = 1, #KEYS do
  local held, holders = fenceOf(KEYS[index])
  if held and held == ARGV[index] then letGo(KEYS[index], held, holders) end
end
return 1`,
);
