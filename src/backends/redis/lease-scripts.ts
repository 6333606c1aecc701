import { FENCES, FRAMES, NUMBERS } from './redis-lua.js';
import { defineScript, type RedisScript } from './redis-script.js';
import { LIVENESS, MARKERS } from './redis-tag-lua.js';

// Scripts of leases: which process may load a key (`sync: 'cluster'`).
//
// A lease lies beside its entry, in the same slot: the grant that holds it with the generation at which it was given,
// its end by the server's clock in ms, and the processes that wait for it. It outlives its end by as long as a token
// lives, so that whoever takes over finds that there was another holder, and voids its token.
//
// A load that has been invalidated is waited for by nobody who comes after that: what it gives would be refused. Deleting
// a key ends its lease, and a lease of an earlier generation is nobody's any more. Invalidations by tag and by pattern do
// not know the keys that they make void; their lease ends with its load.
//
// KEYS are keys of entries, all in one slot. ARGV begins with what stands before the name of a process' own channel.
// What waiting processes are told is one message for each, `[ms, key, ms, key, …]` in JSON: how long the key's lease
// lasts from now on, or how it has ended. A message that cannot be sent is not missed for long: waiters have a timer.

/** Behind an entry's key: its lease. */
export const LEASE_SUFFIX = '%~turn';

/** What {@link TAKE} answers for an entry that is there. Above 0: ms until another's lease ends. 0: granted. */
export const ENTRY_IS_THERE = -1;

/** What waiters are told of a lease that is over. */
export const OVER = 0;

/** What they are told when besides the load's result is for nobody else. Below {@link OVER}. */
export const UNSHARED = -1;

/** What the scripts of leases share. Needs `NUMBERS`. */
export const LEASES: string = `
local LEASE, MOST_WAITING = '${LEASE_SUFFIX}', 16384
local function leaseOf(key)
  local value = redis.pcall('GET', key .. LEASE)
  if type(value) ~= 'string' then return nil end
  local holder, given, finish, waiting = string.match(value, '^([^@ ]+)@?(%d*) (%d+) (.*)$')
  return holder, finish, waiting, given
end
local function setLease(key, grant, given, finish, waiting, kept)
  redis.call('SET', key .. LEASE, grant .. '@' .. given .. ' ' .. finish .. ' ' .. waiting, 'PX', kept)
end
local messages = {}
local function tell(waiting, key, left)
  for process in string.gmatch(waiting, '%S+') do
    local message = messages[process]
    if not message then
      message = {}
      messages[process] = message
    end
    message[#message + 1] = tonumber(left)
    message[#message + 1] = key
  end
end
local function send(channels)
  for process, message in pairs(messages) do
    redis.pcall('PUBLISH', channels .. process, cjson.encode(message))
  end
end
local function endLease(key, word)
  local holder, _, waiting = leaseOf(key)
  if not holder then return end
  redis.call('UNLINK', key .. LEASE)
  tell(waiting, key, word or ${OVER})
end
`;

/**
 * Asks for leases. KEYS: the cache's generation, entries…; ARGV: channels, prefix of tag markers, or nothing where
 * readers compare them, lease in ms, how long its record is kept in ms, 1 to ask although there is an entry, the asking
 * process, then a grant per entry. Answers a number per entry; whoever has to wait is told when the lease moves or ends.
 */
export const TAKE: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  FENCES,
  MARKERS,
  LIVENESS,
  LEASES,
  `
local generation, now = generationAt(KEYS[1]), clock()
local lease, kept, isRefresh, process = ARGV[3], ARGV[4], ARGV[5] == '1', ARGV[6]
local own = ' ' .. process .. ' '
local reply = {}
local function isThere(key)
  local head = not isRefresh and generation and headOf(key)
  if not head then return false end
  if ARGV[2] == '' then return generationIn(head) == tonumber(generation) end
  return isLive(key, head, generation, ARGV[2])
end
for index = 2, #KEYS do
  local key = KEYS[index]
  if isThere(key) then reply[index - 1] = ${ENTRY_IS_THERE}
  else
    local holder, finish, waiting, given = leaseOf(key)
    local left = holder and tonumber(finish) - tonumber(now) or 0
    if left > 0 and (given == '' or given == generation) then
      if not string.find(' ' .. waiting, own, 1, true) and #waiting < MOST_WAITING then
        setLease(key, holder, given, finish, waiting .. process .. ' ', kept)
      end
      reply[index - 1] = left
    else
      if holder then
        if left <= 0 then redis.call('UNLINK', key .. FENCE) end
        local from, to = string.find(' ' .. waiting, own, 1, true)
        if from then waiting = sub(waiting, 1, from - 1) .. sub(waiting, to) end
        tell(waiting, key, lease)
      end
      setLease(key, ARGV[5 + index], generation or '', whole(now + lease), waiting or '', kept)
      reply[index - 1] = 0
    end
  end
end
send(ARGV[1])
return reply`,
);

/**
 * What {@link READ} gives, each entry followed by its remaining time in ms as of `PTTL`, for those who wait: all they need
 * to know in one command. KEYS: generation, entries…; ARGV: prefix of tag markers, or nothing where readers compare them.
 */
export const LOOK: RedisScript = defineScript(
  NUMBERS,
  FRAMES,
  MARKERS,
  LIVENESS,
  `
local generation = generationAt(KEYS[1])
local reply = {}
local function holds(key, head)
  if not generation then return false end
  if ARGV[1] == '' then return generationIn(head) == tonumber(generation) end
  return isLive(key, head, generation, ARGV[1])
end
for index = 2, #KEYS do
  local key, at = KEYS[index], 2 * index - 3
  local head = headOf(key)
  reply[at], reply[at + 1] = false, -2
  if not head or holds(key, head) then
    local value = redis.pcall('GET', key)
    if type(value) == 'string' then reply[at], reply[at + 1] = value, redis.call('PTTL', key) end
  end
end
return reply`,
);

/**
 * Prolongs leases, also those that have ended but that nobody has taken over. KEYS: entries…; ARGV: channels, lease,
 * how long its record is kept, then a grant per entry. Answers per entry whether it is still the grant's: 1 or 0.
 */
export const RENEW: RedisScript = defineScript(
  NUMBERS,
  LEASES,
  `
local finish, reply = whole(clock() + ARGV[2]), {}
for index = 1, #KEYS do
  local holder, _, waiting, given = leaseOf(KEYS[index])
  reply[index] = 0
  if holder == ARGV[3 + index] then
    setLease(KEYS[index], holder, given, finish, waiting, ARGV[3])
    tell(waiting, KEYS[index], ARGV[2])
    reply[index] = 1
  end
end
send(ARGV[1])
return reply`,
);

/** Ends leases and wakes who waits for them. KEYS: entries…; ARGV: channels, what to tell, then a grant per entry. */
export const FREE: RedisScript = defineScript(
  NUMBERS,
  LEASES,
  `
for index = 1, #KEYS do
  if leaseOf(KEYS[index]) == ARGV[2 + index] then endLease(KEYS[index], ARGV[2]) end
end
send(ARGV[1])
return 1`,
);
