import type { Keyspace } from './keyspace.js';
import type { CommandTable } from './redis-command.js';
import { integerOf, OK, ReplyError, StatusReply } from './redis-reply.js';

const SYNTAX = 'ERR syntax error';

/** Commands of texts, and those that work on keys of any kind. */
export const KEY_COMMANDS: CommandTable = {
  get: (space, key) => space.text(key!) ?? null,
  set: (space, key, value, ...options) => set(space, key!, value!, options),
  setnx: (space, key, value) => {
    if (space.has(key!)) return 0;
    space.put(key!, value!, Infinity);
    return 1;
  },
  psetex: (space, key, time, value) => set(space, key!, value!, ['PX', time!]),
  setex: (space, key, time, value) => set(space, key!, value!, ['EX', time!]),
  getdel: (space, key) => {
    const value = space.text(key!);
    space.delete(key!);
    return value ?? null;
  },
  mget: (space, ...keys) =>
    keys.map((key) => {
      const held = space.get(key);
      return typeof held === 'string' ? held : null;
    }),
  mset: (space, ...pairs) => {
    for (let at = 0; at < pairs.length; at += 2) space.put(pairs[at]!, pairs[at + 1]!, Infinity);
    return OK;
  },
  append: (space, key, value) => {
    const text = (space.text(key!) ?? '') + value!;
    space.put(key!, text);
    return text.length;
  },
  strlen: (space, key) => space.text(key!)?.length ?? 0,
  getrange: (space, key, from, to) => {
    const text = space.text(key!) ?? '';
    const [first, last] = span(text.length, integerOf(from!), integerOf(to!));
    return text.slice(first, last + 1);
  },
  setrange: (space, key, from, value) => {
    const start = integerOf(from!);
    const text = (space.text(key!) ?? '').padEnd(start, '\0');
    space.put(key!, text.slice(0, start) + value! + text.slice(start + value!.length));
    return space.text(key!)!.length;
  },
  incr: (space, key) => add(space, key!, 1),
  decr: (space, key) => add(space, key!, -1),
  incrby: (space, key, by) => add(space, key!, integerOf(by!)),
  exists: (space, ...keys) => keys.filter((key) => space.has(key)).length,
  del: (space, ...keys) => keys.filter((key) => space.delete(key)).length,
  unlink: (space, ...keys) => keys.filter((key) => space.delete(key)).length,
  touch: (space, ...keys) => keys.filter((key) => space.has(key)).length,
  type: (space, key) => {
    const held = space.get(key!);
    if (held === undefined) return new StatusReply('none');
    if (typeof held === 'string') return new StatusReply('string');
    if (held instanceof Set) return new StatusReply('set');
    return new StatusReply('fields' in held ? 'hash' : 'zset');
  },
  rename: (space, from, to) => {
    const held = space.get(from!);
    if (held === undefined) throw new ReplyError('ERR no such key');
    const expiry = space.expiryOf(from!)!;
    space.delete(from!);
    space.put(to!, held, expiry);
    return OK;
  },
  pttl: (space, key) => remaining(space, key!, 1),
  ttl: (space, key) => remaining(space, key!, 1000),
  pexpiretime: (space, key) => {
    const expiry = space.expiryOf(key!);
    if (expiry === undefined) return -2;
    return expiry === Infinity ? -1 : expiry;
  },
  pexpire: (space, key, time, ...conditions) =>
    expireAt(space, key!, Math.floor(space.nowMs()) + integerOf(time!), conditions),
  expire: (space, key, time, ...conditions) =>
    expireAt(space, key!, Math.floor(space.nowMs()) + integerOf(time!) * 1000, conditions),
  pexpireat: (space, key, time, ...conditions) =>
    expireAt(space, key!, integerOf(time!), conditions),
  persist: (space, key) => {
    const expiry = space.expiryOf(key!);
    if (expiry === undefined || expiry === Infinity) return 0;
    return Number(space.setExpiry(key!, Infinity));
  },
  time: (space) => {
    const micros = Math.floor(space.nowMs() * 1000);
    return [String(Math.floor(micros / 1e6)), String(micros % 1e6)];
  },
  dbsize: (space) => space.keys().length,
  flushall: (space) => {
    space.clear();
    return OK;
  },
  scan: (space, cursor, ...options) => scan(space, integerOf(cursor!), options),
};

/** First and last index of a range as Redis gives it, both included; the last before the first when it is empty. */
export function span(length: number, from: number, to: number): readonly [number, number] {
  const first = from < 0 ? Math.max(0, length + from) : from;
  const last = Math.min(to < 0 ? length + to : to, length - 1);
  return first > last ? [0, -1] : [first, last];
}

function set(
  space: Keyspace,
  key: string,
  value: string,
  options: readonly string[],
): StatusReply | string | null {
  let expiresAt: number | undefined = Infinity;
  let isRefused = false;
  let given: string | null | undefined;
  for (let at = 0; at < options.length; at++) {
    const option = options[at]!.toUpperCase();
    if (option === 'PX' || option === 'EX') {
      const time = integerOf(options[++at] ?? '');
      if (time <= 0) throw new ReplyError("ERR invalid expire time in 'set' command");
      expiresAt = Math.floor(space.nowMs()) + time * (option === 'EX' ? 1000 : 1);
    } else if (option === 'PXAT') expiresAt = integerOf(options[++at] ?? '');
    else if (option === 'KEEPTTL') expiresAt = undefined;
    else if (option === 'NX') isRefused = space.has(key);
    else if (option === 'XX') isRefused = !space.has(key);
    else if (option === 'GET') given = space.text(key) ?? null;
    else throw new ReplyError(SYNTAX);
  }
  if (!isRefused) space.put(key, value, expiresAt);
  if (given !== undefined) return given;
  return isRefused ? null : OK;
}

function add(space: Keyspace, key: string, by: number): number {
  const value = integerOf(space.text(key) ?? '0') + by;
  space.put(key, String(value));
  return value;
}

function remaining(space: Keyspace, key: string, unit: number): number {
  const expiry = space.expiryOf(key);
  if (expiry === undefined) return -2;
  if (expiry === Infinity) return -1;
  const left = Math.max(0, expiry - Math.floor(space.nowMs()));
  return unit === 1 ? left : Math.floor((left + 500) / unit);
}

function expireAt(
  space: Keyspace,
  key: string,
  time: number,
  conditions: readonly string[],
): number {
  const current = space.expiryOf(key);
  if (current === undefined) return 0;
  for (const condition of conditions.map((each) => each.toUpperCase())) {
    if (condition === 'NX' && current !== Infinity) return 0;
    if (condition === 'XX' && current === Infinity) return 0;
    if (condition === 'GT' && time <= current) return 0;
    if (condition === 'LT' && time >= current) return 0;
  }
  if (time <= space.nowMs()) return Number(space.delete(key));
  return Number(space.setExpiry(key, time));
}

/** The cursor is the number of the key at which the next page begins; keys are numbered as they come. */
function scan(space: Keyspace, cursor: number, options: readonly string[]): [string, string[]] {
  let count = 10;
  let pattern = '*';
  for (let at = 0; at < options.length; at += 2) {
    const option = options[at]!.toUpperCase();
    if (option === 'COUNT') count = integerOf(options[at + 1]!);
    else if (option === 'MATCH') pattern = options[at + 1]!;
    else if (option !== 'TYPE') throw new ReplyError(SYNTAX);
  }
  const glob = globExpression(pattern);
  const left = space.numberedKeys().filter(([number]) => number >= cursor);
  const page = left.slice(0, count).flatMap(([, key]) => (glob.test(key) ? [key] : []));
  return [String(left[count]?.[0] ?? 0), page];
}

const globs = new Map<string, RegExp>();

/** A glob of Redis: `*`, `?`, sets, and `\` before what is meant as it is. */
function globExpression(glob: string): RegExp {
  let expression = globs.get(glob);
  if (expression === undefined) {
    const source = glob.replace(
      /\\([^])|(\[\^?)((?:\\[^]|[^\]\\])*)\]|[^]/g,
      (part, escaped, open, set) => {
        if (escaped !== undefined) return literal(escaped as string);
        if (open !== undefined) {
          const inner = (set as string).replace(/\\([^])|[^-]/g, (each, own) =>
            literal((own ?? each) as string),
          );
          return `${open as string}${inner}]`;
        }
        if (part === '*') return '[^]*';
        return part === '?' ? '[^]' : literal(part);
      },
    );
    expression = new RegExp(`^${source}$`);
    globs.set(glob, expression);
  }
  return expression;
}

function literal(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
