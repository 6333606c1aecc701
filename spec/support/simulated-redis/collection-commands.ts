import { span } from './key-commands.js';
import type { Keyspace } from './keyspace.js';
import type { CommandTable } from './redis-command.js';
import { floatOf, integerOf, ReplyError, type Reply } from './redis-reply.js';

/** Commands of sets, hashes and sorted sets. A collection that becomes empty is gone. */
export const COLLECTION_COMMANDS: CommandTable = {
  sadd: (space, key, ...members) => {
    const set = space.members(key!) ?? new Set<string>();
    const before = set.size;
    for (const member of members) set.add(member);
    if (set.size > before) space.put(key!, set);
    return set.size - before;
  },
  srem: (space, key, ...members) => {
    const set = space.members(key!);
    return remove(space, key!, set, members);
  },
  smembers: (space, key) => [...(space.members(key!) ?? [])],
  sismember: (space, key, member) => Number(space.members(key!)?.has(member!) ?? false),
  scard: (space, key) => space.members(key!)?.size ?? 0,

  hset: (space, key, ...pairs) => {
    if (pairs.length === 0 || pairs.length % 2 === 1) {
      throw new ReplyError("ERR wrong number of arguments for 'hset' command");
    }
    const fields = space.fields(key!) ?? new Map<string, string>();
    const before = fields.size;
    for (let at = 0; at < pairs.length; at += 2) fields.set(pairs[at]!, pairs[at + 1]!);
    space.put(key!, { fields });
    return fields.size - before;
  },
  hsetnx: (space, key, field, value) => {
    const fields = space.fields(key!) ?? new Map<string, string>();
    if (fields.has(field!)) return 0;
    space.put(key!, { fields: fields.set(field!, value!) });
    return 1;
  },
  hget: (space, key, field) => space.fields(key!)?.get(field!) ?? null,
  hmget: (space, key, ...names) => {
    const fields = space.fields(key!);
    return names.map((name) => fields?.get(name) ?? null);
  },
  hgetall: (space, key) => [...(space.fields(key!) ?? [])].flat(),
  hkeys: (space, key) => [...(space.fields(key!)?.keys() ?? [])],
  hvals: (space, key) => [...(space.fields(key!)?.values() ?? [])],
  hlen: (space, key) => space.fields(key!)?.size ?? 0,
  hexists: (space, key, field) => Number(space.fields(key!)?.has(field!) ?? false),
  hdel: (space, key, ...names) => remove(space, key!, space.fields(key!), names),
  hincrby: (space, key, field, by) => {
    const fields = space.fields(key!) ?? new Map<string, string>();
    const text = fields.get(field!) ?? '0';
    if (!/^-?\d{1,18}$/.test(text)) throw new ReplyError('ERR hash value is not an integer');
    const value = Number(text) + integerOf(by!);
    space.put(key!, { fields: fields.set(field!, String(value)) });
    return value;
  },

  zadd: (space, key, ...rest) => zadd(space, key!, rest),
  zscore: (space, key, member) => {
    const score = space.scores(key!)?.get(member!);
    return score === undefined ? null : scoreText(score);
  },
  zcard: (space, key) => space.scores(key!)?.size ?? 0,
  zrem: (space, key, ...members) => remove(space, key!, space.scores(key!), members),
  zincrby: (space, key, by, member) => {
    const scores = space.scores(key!) ?? new Map<string, number>();
    const score = (scores.get(member!) ?? 0) + floatOf(by!);
    space.put(key!, { scores: scores.set(member!, score) });
    return scoreText(score);
  },
  zcount: (space, key, from, to) => between(space, key!, from!, to!).length,
  zrange: (space, key, from, to, ...options) => {
    const names = options.map((option) => option.toUpperCase());
    const isReversed = names.includes('REV');
    if (names.includes('BYSCORE')) {
      const [low, high] = isReversed ? [to!, from!] : [from!, to!];
      const found = between(space, key!, low, high);
      return listed(
        isReversed ? found.reverse() : found,
        options.filter((_, at) => !['BYSCORE', 'REV'].includes(names[at]!)),
      );
    }
    return byRank(
      space,
      key!,
      from!,
      to!,
      isReversed,
      options.filter((_, at) => names[at] !== 'REV'),
    );
  },
  zrevrange: (space, key, from, to, ...options) => byRank(space, key!, from!, to!, true, options),
  zrangebyscore: (space, key, from, to, ...options) =>
    listed(between(space, key!, from!, to!), options),
  zrevrangebyscore: (space, key, to, from, ...options) =>
    listed(between(space, key!, from!, to!).reverse(), options),
  zremrangebyrank: (space, key, from, to) => {
    const all = ranked(space, key!);
    const [first, last] = span(all.length, integerOf(from!), integerOf(to!));
    const gone = all.slice(first, last + 1).map(([member]) => member);
    return remove(space, key!, space.scores(key!), gone);
  },
  zremrangebyscore: (space, key, from, to) => {
    const gone = between(space, key!, from!, to!).map(([member]) => member);
    return remove(space, key!, space.scores(key!), gone);
  },
};

type Ranked = readonly [member: string, score: number];

function remove(
  space: Keyspace,
  key: string,
  collection: Set<string> | Map<string, unknown> | undefined,
  names: readonly string[],
): number {
  if (collection === undefined) return 0;
  const count = names.filter((name) => collection.delete(name)).length;
  if (count > 0) space.change(key);
  if (collection.size === 0) space.delete(key);
  return count;
}

function zadd(space: Keyspace, key: string, given: readonly string[]): number {
  let at = 0;
  const flags = new Set<string>();
  while (/^(?:NX|XX|GT|LT|CH)$/i.test(given[at] ?? '')) flags.add(given[at++]!.toUpperCase());
  if (at === given.length || (given.length - at) % 2 === 1)
    throw new ReplyError('ERR syntax error');
  const scores = space.scores(key) ?? new Map<string, number>();
  let [added, changed] = [0, 0];
  for (; at < given.length; at += 2) {
    const score = floatOf(given[at]!);
    const member = given[at + 1]!;
    const current = scores.get(member);
    if (current === undefined) {
      if (flags.has('XX')) continue;
      added++;
    } else {
      if (flags.has('NX') || (flags.has('GT') && score <= current)) continue;
      if (flags.has('LT') && score >= current) continue;
      if (score !== current) changed++;
    }
    scores.set(member, score);
  }
  if (scores.size > 0) space.put(key, { scores });
  return flags.has('CH') ? added + changed : added;
}

/** By score, and members of one score in byte order. */
function ranked(space: Keyspace, key: string): Ranked[] {
  return [...(space.scores(key) ?? [])].sort(([member, score], [other, otherScore]) => {
    if (score !== otherScore) return score - otherScore;
    return member < other ? -1 : 1;
  });
}

function byRank(
  space: Keyspace,
  key: string,
  from: string,
  to: string,
  isReversed: boolean,
  options: readonly string[],
): Reply {
  const all = ranked(space, key);
  if (isReversed) all.reverse();
  const [first, last] = span(all.length, integerOf(from), integerOf(to));
  return listed(all.slice(first, last + 1), options);
}

function between(space: Keyspace, key: string, from: string, to: string): Ranked[] {
  const [low, high] = [floatOf(from.replace('(', '')), floatOf(to.replace('(', ''))];
  return ranked(space, key).filter(([, score]) => {
    const isAbove = from.startsWith('(') ? score > low : score >= low;
    return isAbove && (to.startsWith('(') ? score < high : score <= high);
  });
}

function listed(found: readonly Ranked[], options: readonly string[]): Reply {
  let hasScores = false;
  let page = found;
  for (let at = 0; at < options.length; at++) {
    const option = options[at]!.toUpperCase();
    if (option === 'WITHSCORES') hasScores = true;
    else if (option === 'LIMIT') {
      const [start, count] = [integerOf(options[++at]!), integerOf(options[++at]!)];
      page = page.slice(start, count < 0 ? undefined : start + count);
    } else throw new ReplyError('ERR syntax error');
  }
  return page.flatMap(([member, score]) => (hasScores ? [member, scoreText(score)] : [member]));
}

function scoreText(score: number): string {
  if (score === Infinity) return 'inf';
  return score === -Infinity ? '-inf' : String(score);
}
