/** How many all-of invalidations a marker keeps apart; with one more, it hits all of its tag's entries. */
export const MOST_RULES = 16;

/** Rules that take more bytes than this at a marker do the same: every read of the tag carries them. */
export const MOST_RULE_BYTES = 4096;

/**
 * Tag markers, kept as long as the tag's longest-lived entry: the number of the tag's last invalidation, and behind
 * it the rules.
 *
 * A rule is an invalidation of all entries that carry several tags. It stands at one of them, where every reader of
 * such an entry looks, as ` number count` and per tag ` bytes:tag`. A rule at or below the marker's own number says
 * nothing that the number does not say.
 */
export const MARKERS: string = `
local MOST_RULES, MOST_RULE_BYTES, MOST = ${MOST_RULES}, ${MOST_RULE_BYTES}, ${Number.MAX_SAFE_INTEGER}
local function markerAt(key)
  local value = redis.pcall('GET', key)
  if type(value) ~= 'string' then return nil end
  local number, rules = string.match(value, '^(%d+)(.*)$')
  if not number or tonumber(number) > MOST or (rules ~= '' and sub(rules, 1, 1) ~= ' ') then return nil end
  return number, rules
end
local function rulesIn(text)
  local rules, at = {}, 1
  while at <= #text do
    local from = at
    local number, behind, count, start = string.match(text, '^ (%d+)() (%d+)()', at)
    if not number then return nil end
    local tags = {}
    at = start
    for index = 1, tonumber(count) do
      local size, first = string.match(text, '^ (%d+):()', at)
      if not size then return nil end
      at = first + tonumber(size)
      tags[index] = sub(text, first, at - 1)
    end
    if at > #text + 1 then return nil end
    rules[#rules + 1] = { number = number, tags = tags, names = sub(text, behind, at - 1), text = sub(text, from, at - 1) }
  end
  return rules
end
local function hits(number, rules, sequence, tags)
  if tonumber(number) > tonumber(sequence) then return true end
  if rules == '' then return false end
  local parsed = rulesIn(rules)
  if not parsed then return true end
  local carried = {}
  for _, tag in ipairs(tags) do carried[tag] = true end
  for _, rule in ipairs(parsed) do
    if tonumber(rule.number) > tonumber(sequence) then
      local hasAll = true
      for _, tag in ipairs(rule.tags) do hasAll = hasAll and carried[tag] end
      if hasAll then return true end
    end
  end
  return false
end
local function highest(number, rules)
  local top = tonumber(number)
  for _, rule in ipairs(rulesIn(rules) or {}) do top = math.max(top, tonumber(rule.number)) end
  return top
end
local function rulesAbove(rules, number)
  local kept = {}
  for _, rule in ipairs(rulesIn(rules) or {}) do
    if tonumber(rule.number) > tonumber(number) then kept[#kept + 1] = rule.text end
  end
  return table.concat(kept), #kept
end
local function withRule(number, rules, sequence, names)
  local others = {}
  for _, rule in ipairs(rulesIn(rules) or {}) do
    if rule.names ~= names then others[#others + 1] = rule.text
    elseif tonumber(rule.number) > tonumber(sequence) then sequence = rule.number end
  end
  local kept, count = rulesAbove(table.concat(others), number)
  local text = number .. kept .. ' ' .. sequence .. names
  if count < MOST_RULES and #text <= MOST_RULE_BYTES then return text end
  return whole(math.max(highest(number, rules), sequence))
end
local function keep(marker, lifetime)
  if lifetime == '0' then return redis.call('PERSIST', marker) end
  local left, wanted = redis.call('PTTL', marker), tonumber(lifetime) + 1000
  if left >= 0 and left < wanted then redis.call('PEXPIRE', marker, whole(wanted)) end
end
local function rewrite(marker, text)
  local left = redis.call('PTTL', marker)
  redis.call('UNLINK', marker)
  if left == -1 then redis.call('SET', marker, text)
  elseif left >= 0 then redis.call('SET', marker, text, 'PX', math.max(left, 1)) end
end
`;

/** Whether a stored entry holds, by the markers beside it. */
export const LIVENESS = `
local function isLive(key, head, generation, tagPrefix)
  if generationIn(head) ~= tonumber(generation) then return false end
  local tags, isWhole = tagsIn(key, head)
  if not tags then return true end
  local sequence = sequenceIn(head)
  for _, tag in ipairs(tags) do
    local number, rules = markerAt(tagPrefix .. tag)
    if not number or hits(number, rules, sequence, tags) then return false end
  end
  return isWhole
end
`;

/**
 * What a fill is told about its tags.
 *
 * A marker that is absent was lost, or never there. If the log reaches back to the begin of a fill, it tells whether
 * the tag was invalidated since; then the marker is made anew with the tag's last number in the log, or else the log's
 * first, below which nobody knows. The log names an all-of invalidation by the tag whose marker has the rule: when
 * that marker is lost, its rules become numbers, which hit more.
 */
export const TAGS = `
local function tagLog(prefix) return sub(prefix, 1, -2) .. 's' end
local function accepts(prefix, tag, seen, lease, tags, sequence)
  local marker = prefix .. tag
  local number, rules = markerAt(marker)
  if number then
    if not hits(number, rules, seen, tags) then return true end
    catchUp(sequence, highest(number, rules))
    return false
  end
  local log = tagLog(prefix)
  local start = completeFrom(log, seen)
  if not start then return false end
  local last = redis.call('ZSCORE', log, '=' .. tag) or start
  if tonumber(last) > tonumber(seen) then return false end
  redis.call('SET', marker, whole(last), 'PX', lease)
  return true
end
`;
