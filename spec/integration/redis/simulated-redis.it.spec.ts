import { expect } from 'chai';
import type { Redis } from 'ioredis';
import * as entryScripts from '#internal/backends/redis/entry-scripts.js';
import * as fillScripts from '#internal/backends/redis/fill-scripts.js';
import * as invalidationScripts from '#internal/backends/redis/invalidation-scripts.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import type { RedisScript } from '#internal/backends/redis/redis-script.js';
import type { BackendStore, FillToken } from '#internal/cache/backend.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import { CacheBackendError } from '#internal/errors.js';
import { backendContext, writeOf } from '../../support/redis-backend-fixture.js';
import { RedisServer } from '../../support/redis-server.js';
import { randomFrom } from '../../support/scheduler/random.js';
import { ReplyError, StatusReply, type Reply } from '../../support/simulated-redis/redis-reply.js';
import { SimulatedClient } from '../../support/simulated-redis/simulated-client.js';
import { SimulatedRedis } from '../../support/simulated-redis/simulated-redis.js';

/*
 * The schedules of `spec/property` are worth as much as the Redis that they run on. So every command and every script
 * that the backend sends goes to the simulated server and to a real one here, and answers and keys are compared.
 */

const RUNS = 40;
const CALLS_PER_RUN = 80;
const KEYS = ['a', 'b', 'ümlaut', 'a:b'] as const;
const TAGS = ['red', 'blue', 'grün'] as const;
/** What passes between the two servers, at the most. In milliseconds. */
const TOLERANCE_MS = 30_000;

/** Lua that the scripts do not use yet, but may. */
const SNIPPETS: readonly string[] = [
  'return {1, 2.9, "three", true, false, 5}',
  'return {1, nil, 3}',
  'local a, b, c = (function() return 1, 2 end)() return {a, b, tostring(c)}',
  'local t = {10, 20, x = 5, [3] = 30, ["y z"] = 7} return {#t, t[3], t.x, t["y z"]}',
  'local s = 0 for i = 10, 1, -3 do s = s + i end return s',
  'local i, s = 0, "" repeat local j = i i = i + 1 s = s .. j until j >= 4 return s',
  'local i = 0 while true do i = i + 1 if i > 7 then break end end return i',
  'local x = 1 do local x = 2 end local function f(n) if n == 0 then return x end return f(n - 1) end return f(3)',
  'return string.format("%d %s %.0f %5.2f %%  %05d %x %g", 42.7, "x", 1704067200123456, 3.14159, 42, 255, 0.1)',
  'return {tostring(1704067200123456), 1e15 .. "", 0.1 .. "", 12 .. "", 1e100 .. "", -0.5 .. ""}',
  'return {string.find("hello world", "o w"), string.find("a.b", ".", 1, true), string.find("abc", "%d")}',
  'local r = {} for k, v in string.gmatch("a=1, b=22", "(%w+)=(%w+)") do r[#r + 1] = k .. v end return r',
  'return {string.gsub("hello", "l+", "L"), (string.gsub("abc", "%w", "%0%0")), (string.gsub("a b", " ", {[" "] = "-"}))}',
  'local a, p, b, e = string.match("x 12 34.", "^x (%d+)() (%d+)()", 1) return {a, p, b, e, (string.find("abc", "()c"))}',
  'return {string.byte("\\200\\0z", 1, -1), string.char(0, 255, 65), #"\\0\\255", ("x"):rep(3), ("abc"):upper()}',
  'return {string.match("17 42", "^(%d+) (%d+)$"), string.match("x", "^(%d+)$") or "none", string.match("[a-b]", "^%[(.-)%]$")}',
  'local t = {3, 1, 2} table.sort(t) table.insert(t, 9) table.insert(t, 1, 0) table.remove(t) return t',
  'local t = {3, 1, 2} table.sort(t, function(x, y) return x > y end) return table.concat(t, ",")',
  'return {unpack({1, 2, 3}, 2)}',
  'return {select("#", 1, nil, 3), select(2, "a", "b", "c")}',
  'local n = 0 for k, v in pairs({a = 1, b = 2, 3}) do n = n + v end return n',
  'local n = 0 for i, v in ipairs({1, 2, nil, 4}) do n = n + v end return n',
  'return {type(nil), type(1), type("x"), type({}), type(type), type(1 == 1)}',
  'return {tonumber("0x10"), tonumber(" 12 "), tonumber("1e3"), tostring(tonumber("x")), tonumber("ff", 16), tostring(tonumber(""))}',
  'return {7 % 3, -7 % 3, 7 % -3, 2 ^ 10, math.floor(-1.5), math.max(1, 9, 3), "10" + 5, -"3"}',
  'return {tostring(1 == 1.0), tostring("1" == 1), tostring("a" < "b"), tostring("Z" < "a"), tostring(not nil)}',
  'return {1 and 2, tostring(nil and 2), nil or 3, false or "x", tostring(0 and true), 1 + 2 * 3 - 4 / 2, 2 .. 3}',
  'local ok, e = pcall(function() error({code = 7}) end) return {tostring(ok), e.code}',
  'return redis.error_reply("MINE went wrong")',
  'return redis.status_reply("FINE")',
  'return redis.sha1hex("x")',
  'return cjson.encode({2000, "spec:v1:users:a1", 0, "a/\\"b", -1, 12.5})',
  'redis.call("SET", KEYS[1], "x") redis.call("SADD", KEYS[1], "y") return 1',
  'redis.call("SET", KEYS[1], "x") local r = redis.pcall("LPUSH", KEYS[1], 1) return type(r.err)',
  'redis.call("SET", KEYS[1], "x", "PX", 5000, "NX") return redis.call("SET", KEYS[1], "y", "NX")',
  'redis.call("ZADD", KEYS[1], 2, "b", 1, "a", 2, "a2") return redis.call("ZRANGE", KEYS[1], 0, -1, "WITHSCORES")',
  'redis.call("ZADD", KEYS[1], 1, "a") redis.call("ZADD", KEYS[1], "GT", 5, "a") redis.call("ZADD", KEYS[1], "GT", 3, "a") return redis.call("ZSCORE", KEYS[1], "a")',
  'redis.call("HSET", KEYS[1], "f", 1) redis.call("HINCRBY", KEYS[1], "f", 4) return redis.call("HMGET", KEYS[1], "f", "g")',
  'redis.call("SADD", KEYS[1], "x") redis.call("SREM", KEYS[1], "x") return redis.call("EXISTS", KEYS[1])',
  'redis.call("SET", KEYS[1], 12) return {redis.call("GETRANGE", KEYS[1], 0, 0), redis.call("GETRANGE", KEYS[1], -1, -1), redis.call("GETRANGE", KEYS[1], 5, 9)}',
  'return {redis.call("PTTL", KEYS[1]), redis.call("TYPE", KEYS[1]).ok, redis.call("PERSIST", KEYS[1])}',
  'return {tostring(redis.call("GET", KEYS[1])), redis.call("SCARD", KEYS[1]), redis.call("HLEN", KEYS[1])}',
];

describe('SimulatedRedis beside a real server', function () {
  this.timeout(120_000);
  let server: RedisServer;
  let real: Redis;

  before(async () => {
    server = await RedisServer.start();
    real = server.client();
  });
  beforeEach(() => real.flushall());
  after(async () => {
    real.disconnect();
    await server.stop();
  });

  SNIPPETS.forEach((snippet, index) => {
    it(`answers as it does: ${snippet}`, async () => {
      const pair = new Pair(real);
      const name = `snippet ${index}`;
      await pair.send('eval', [snippet, '1', name]).catch((error: unknown) => {
        if (!(error instanceof ReplyError)) throw error;
      });
      await pair.compareKeys();
    });
  });

  it(`answers what the backend sends as it does, and holds the same keys, ${RUNS} random runs`, async () => {
    const pairs = { commands: 0, scripts: new Set<string>() };
    for (let seed = 1; seed <= RUNS; seed++) {
      await real.flushall();
      const pair = new Pair(real);
      try {
        await randomCalls(pair, randomFrom(seed));
        await pair.compareKeys();
      } catch (error) {
        throw new Error(`with seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
      pairs.commands += pair.commands;
      for (const script of pair.used) pairs.scripts.add(script);
    }
    expect(pairs.commands).to.be.above(RUNS * CALLS_PER_RUN);
    // Those of a Cluster and of leases have servers and specs of their own.
    const scripts = Object.entries({ ...entryScripts, ...fillScripts, ...invalidationScripts });
    const never = scripts.filter(([, value]) => isScript(value) && !pairs.scripts.has(value.sha1));
    // Reclaiming and the health check wait for timers that fire later than this spec ends; outlines hold what the time has left of
    // each entry, which two servers do not count alike.
    expect(['RECLAIM', 'PULSE', 'OUTLINES']).to.include.members(never.map(([name]) => name));
  });
});

function isScript(value: unknown): value is RedisScript {
  return typeof value === 'object' && value !== null && 'sha1' in value;
}

/** Calls of all kinds, on two caches, and damage to their keys. */
async function randomCalls(pair: Pair, random: () => number): Promise<void> {
  const backend = new RedisBackend({
    client: new SimulatedClient((command, args) => pair.send(command, args)),
    prefix: 'tée',
    commandTimeout: '1m',
    healthCheckInterval: 0,
  });
  backend.attach(backendContext());
  const stores = ['users', 'orders'].map((name) => backend.open({ name, version: '1' }));
  const tokens: { readonly store: BackendStore; readonly token: FillToken }[] = [];
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const some = <Item>(items: readonly Item[]): Item[] => items.filter(() => random() < 0.5);
  const content = (): object => ({ tags: some(TAGS).sort(), ...(random() < 0.2 && endless) });
  const actions: readonly (() => unknown)[] = [
    () => pick(stores).get(pick(KEYS)),
    () => pick(stores).get(pick(KEYS), { tags: some(TAGS), needsTimes: true }),
    () => pick(stores).getMany(some(KEYS)),
    async () => {
      const store = pick(stores);
      const starts = await store.begin(some(KEYS), { tags: some(TAGS) });
      tokens.push(...starts.map(({ token }) => ({ store, token })));
    },
    async () => {
      const store = pick(stores);
      tokens.push({ store, token: await store.watch() });
    },
    () => {
      const { store, token } = tokens.pop() ?? {};
      return token && store?.release([token]);
    },
    () => {
      const { store, token } = tokens.shift() ?? {};
      if (token === undefined) return undefined;
      const kind = token.key !== '' && random() < 0.6 ? 'fill' : 'put';
      const key = token.key === '' ? pick(KEYS) : token.key;
      return store!.store([writeOf(key, random(), { kind, token }, content())]);
    },
    () =>
      pick(stores).store(
        some(KEYS).map((key) => writeOf(key, random(), { kind: 'set' }, content())),
      ),
    () => pick(stores).delete(some(KEYS)),
    () => pick(stores).deletePattern(compilePattern(pick(['a*', '*', 'ü*', 'z?']))),
    () => (random() < 0.3 ? pick(stores).clear() : undefined),
    () => (random() < 0.2 ? backend.clearAll() : undefined),
    () => backend.invalidateTags({ anyOf: some(TAGS) }),
    () => pick(stores).expire(pick(KEYS), 700_000, 800_000),
    () => pick(stores).touch(pick(KEYS), 900_000),
    () => pick(stores).scan({ count: 10_000 }),
    () => (random() < 0.4 ? pair.damage(random) : undefined),
  ];
  for (let call = 0; call < CALLS_PER_RUN; call++) {
    try {
      await pick(actions)();
    } catch (error) {
      // What was damaged makes calls fail, on both servers in the same way.
      if (!(error instanceof CacheBackendError)) throw error;
    }
  }
  await backend.close(1000);
}

const endless = { expiresAt: Infinity, retainedUntil: Infinity };

/** A simulated server and a real one, of which each gets what the other gets. */
class Pair {
  /** Scripts by their hash, as the backend has told them. */
  static readonly known = new Map<string, string>();
  readonly used = new Set<string>();
  commands = 0;
  readonly #real: Redis;
  readonly #simulated: SimulatedRedis;
  readonly #preamble: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(real: Redis) {
    const nowMs = Date.now();
    this.#real = real;
    this.#simulated = new SimulatedRedis(() => nowMs);
    // The one thing in which two servers must differ is the time: both scripts get the same.
    this.#preamble = `
      local server, now = redis, { '${Math.floor(nowMs / 1000)}', '${(nowMs % 1000) * 1000}' }
      local function timed(run)
        return function(name, ...) if name == 'TIME' then return now end return run(name, ...) end
      end
      local redis = {
        call = timed(server.call), pcall = timed(server.pcall), sha1hex = server.sha1hex,
        error_reply = server.error_reply, status_reply = server.status_reply
      }`;
  }

  /** Sends a command to both, one after the other, and gives the answer on which they agree. */
  send(command: string, args: readonly string[]): Promise<Reply> {
    const answer = this.#last.then(() => this.#send(command, args));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Deletes a key, or puts something else under it. */
  async damage(random: () => number): Promise<void> {
    const keys = this.#simulated.space.keys().sort();
    const key = keys[Math.floor(random() * keys.length)];
    if (key === undefined) return;
    const [command, ...args] = [
      ['del', key],
      ['set', key, 'rübbish'],
      ['pexpire', key, '600000'],
    ][Math.floor(random() * 3)]!;
    await this.send(command!, args);
  }

  async compareKeys(): Promise<void> {
    await this.#last;
    const keys = await this.#real.keysBuffer('*');
    const names = keys.map((key) => key.toString('latin1')).sort();
    expect(this.#simulated.space.keys().sort()).to.deep.equal(names);
    for (const name of names) {
      const type = String(comparable(await this.send('type', [name])));
      const content: Readonly<Record<string, readonly string[]>> = {
        string: ['get', name],
        set: ['smembers', name],
        hash: ['hgetall', name],
        zset: ['zrange', name, '0', '-1', 'WITHSCORES'],
      };
      const [command, ...args] = content[type]!;
      await this.send(command!, args);
      await this.send('pttl', [name]);
    }
  }

  async #send(command: string, given: readonly string[]): Promise<Reply> {
    this.commands++;
    let [name, args] = [command, given];
    if (command === 'script' && given[0] === 'LOAD') {
      const { reply } = this.#simulated.execute(command, given);
      Pair.known.set(reply as string, given[1]!);
      return reply;
    }
    if (command === 'evalsha') {
      this.used.add(given[0]!);
      [name, args] = [
        'eval',
        [`${this.#preamble}\n${Pair.known.get(given[0]!)!}`, ...given.slice(1)],
      ];
    }
    const { reply } = this.#simulated.execute(name, args);
    const answer = await this.#ask(name, args);
    const what = `${command} ${given.slice(1).join(' ').slice(0, 300)}`;
    if (name === 'pttl' && typeof answer === 'number' && answer > 0) {
      expect(reply, what).to.be.closeTo(answer, TOLERANCE_MS);
    } else expect(comparable(reply), what).to.deep.equal(comparable(answer));
    if (reply instanceof ReplyError) throw reply;
    return reply;
  }

  async #ask(name: string, args: readonly string[]): Promise<Reply> {
    try {
      const bytes = args.map((argument) => Buffer.from(argument, 'latin1'));
      // A second form of the same command, for ioredis gives the answers of `hgetall` another shape.
      const command = name === 'hgetall' ? 'HGETALL' : name;
      return replyOf(await this.#real.callBuffer(command, ...bytes));
    } catch (error) {
      return new ReplyError((error as Error).message);
    }
  }
}

/** What ioredis gives, in the simulated server's terms. */
function replyOf(answer: unknown): Reply {
  if (Buffer.isBuffer(answer)) return answer.toString('latin1');
  if (Array.isArray(answer)) return answer.map(replyOf);
  return answer as number | null;
}

/** Texts are compared without a status, sets without an order, errors by their code. */
function comparable(reply: Reply): unknown {
  if (reply instanceof StatusReply) return reply.text;
  if (reply instanceof ReplyError) return `error ${reply.message.split(' ')[0]!}`;
  if (!Array.isArray(reply)) return reply;
  const list = (reply as readonly Reply[]).map(comparable);
  return list.every((each) => typeof each === 'string') ? [...list].sort() : list;
}
