import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import type { ManualClock } from 'cachewell/testing';
import { SeededChance } from '#internal/testing/consistency/seeded-chance.js';
import { COLLECTIONS, type Answer, type HttpWorld } from './http-world.js';

const USERS = ['ada', 'bob', 'ada', undefined];
const QUERIES = ['', '', '?page=1', '?a=1&b=2', '?b=2&a=1'];
const SPELLINGS: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => path,
  (path) => path,
  (path) => path,
  (path) => `${path}/`,
  (path) => path.replace(/\d$/, (digit) => `%3${digit}`),
];

/** What a client keeps of an answer, to ask again with its validator. */
interface Kept {
  readonly etag: string;
  readonly body: string;
}

/**
 * One client after the other does something at random: reads, in whatever spelling, query and user, with and without a
 * validator; writes; time that passes. Every answer is what an application without a cache would give.
 */
export async function checkRandomSteps(
  world: HttpWorld,
  clock: ManualClock,
  seed: number,
  steps: number,
): Promise<void> {
  const chance = new SeededChance(seed);
  const kept = new Map<string, Kept>();
  let hits = 0;
  let reads = 0;
  for (let step = 0; step < steps; step++) {
    const path = randomPath(world, chance);
    const kind = chance.below(100);
    if (kind < 2) {
      clock.advance(chance.below(20_000));
    } else if (kind < 12) {
      const method = chance.pick(['PATCH', 'PATCH', 'POST', 'DELETE', 'PURGE']);
      // Collections stay, or there is soon nothing left.
      const isTaken = method === 'DELETE' || method === 'PURGE';
      if (isTaken && path.split('/').length < 3) continue;
      // Few resources are read often enough to be hits.
      if (method === 'POST' && (path.split('/').length > 3 || childrenOf(world, path).length > 2)) {
        continue;
      }
      await world.ask(chance.below(9), method, chance.pick(SPELLINGS)(path));
    } else {
      const user = chance.pick(USERS);
      const spelt = chance.pick(SPELLINGS)(path) + chance.pick(QUERIES);
      const name = `${spelt} ${user}`;
      const known = chance.below(3) === 0 ? kept.get(name) : undefined;
      const method = chance.below(12) === 0 ? 'HEAD' : 'GET';
      const answer = await world.ask(chance.below(9), method, spelt, {
        ...(user !== undefined && { 'x-user': user }),
        ...(known !== undefined && { 'if-none-match': known.etag }),
      });
      const expected = world.expected(path, user);
      const what = `seed ${seed}, step ${step}: ${method} ${name} (${String(answer.headers['x-cache'])})`;
      reads++;
      if (answer.headers['x-cache'] === 'HIT') hits++;
      expectAnswer(answer, method, expected, known, what);
      if (answer.status === 200 && method === 'GET') {
        kept.set(name, { etag: answer.headers.etag!, body: answer.body });
      }
    }
  }
  expect(hits, 'a cache that never hits proves nothing').to.be.greaterThan(steps / 20);
  // Of a run that somebody has asked for, to be noted.
  if (process.env['HTTP_STEPS'] !== undefined) {
    console.log(
      `      ${steps} steps, HTTP_SEED=${seed}: ${reads} reads, ${hits} hits, none stale`,
    );
  }
}

function expectAnswer(
  answer: Answer,
  method: string,
  expected: string | undefined,
  known: Kept | undefined,
  what: string,
): void {
  if (expected === undefined) {
    expect(answer.status, what).to.equal(404);
    return;
  }
  if (answer.status === 304) {
    expect(shape(known!.body), what).to.equal(shape(expected));
    return;
  }
  expect(answer.status, what).to.equal(200);
  if (method === 'GET') expect(shape(answer.body), what).to.equal(shape(expected));
  else expect(answer.body, what).to.equal('');
}

/** A handler shows the path as it was asked for; all spellings mean one resource. */
function shape(body: string): string {
  const { path: _path, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return JSON.stringify(rest);
}

/** A handler that waits to be let go on. */
type Held = () => void;

/**
 * Reads, writes, background refreshes and validations start, stop half-way and go on in random order. No read that starts
 * when a write was answered may show what was there before the write.
 */
export async function checkRandomSchedules(
  world: HttpWorld,
  clock: ManualClock,
  seed: number,
  schedules: number,
): Promise<void> {
  for (let schedule = 0; schedule < schedules; schedule++) {
    await runSchedule(world, clock, new SeededChance(seed + schedule), `seed ${seed + schedule}`);
  }
}

const PATHS = COLLECTIONS.flatMap((name) => [`/${name}`, `/${name}/1`]);

async function runSchedule(
  world: HttpWorld,
  clock: ManualClock,
  chance: SeededChance,
  what: string,
): Promise<void> {
  for (const name of COLLECTIONS) {
    if (world.version(`/${name}/1`) === undefined) await world.ask(0, 'POST', `/${name}`);
  }
  const collection = chance.pick(COLLECTIONS);
  const paths = [`/${collection}`, `/${collection}/1`];
  const held: Held[] = [];
  let isFree = false;
  world.pause = () => {
    if (isFree || chance.below(4) === 0) return undefined;
    return new Promise((resolve) => held.push(resolve));
  };
  /** The least version that a read may show, by path: the last one whose write was answered. */
  const answered = new Map(PATHS.map((path) => [path, world.version(path)!]));
  const underWay: Promise<unknown>[] = [];
  const user = { 'x-user': 'ada' };

  const read = async (path: string): Promise<void> => {
    const floors = new Map(answered);
    const { body, headers } = await world.ask(chance.below(9), 'GET', path, user);
    const shown = JSON.parse(body) as { version: number; children: [string, number][] };
    const where = `${what}: GET ${path} (${String(headers['x-cache'])})`;
    expect(shown.version, where).to.be.at.least(floors.get(path)!);
    for (const [name, version] of shown.children) {
      expect(version, `${where}, child ${name}`).to.be.at.least(floors.get(`${path}/${name}`) ?? 0);
    }
  };
  const write = async (path: string): Promise<void> => {
    const before = world.version(path)!;
    await world.ask(chance.below(9), 'PATCH', path);
    // Others may have written as well, but this one has counted once since it began.
    answered.set(path, Math.max(answered.get(path)!, before + 1));
  };

  const actions = 6 + chance.below(14);
  for (let action = 0; action < actions; action++) {
    const kind = chance.below(10);
    if (kind < 4) underWay.push(read(chance.pick(paths)));
    else if (kind < 6) underWay.push(write(chance.pick(paths)));
    else if (kind < 7) clock.advance(chance.pick([1_000, 11_000, 40_000]));
    else if (held.length > 0) held.splice(chance.below(held.length), 1)[0]!();
    for (let turns = chance.below(6); turns > 0; turns--) await turn();
  }
  isFree = true;
  for (const go of held) go();
  await Promise.all(underWay);
  for (const path of paths) {
    const { body } = await world.ask(chance.below(9), 'GET', path, user);
    expect(body, `${what}: GET ${path} at the end`).to.equal(world.expected(path, 'ada'));
  }
  world.pause = () => undefined;
}

function childrenOf(world: HttpWorld, path: string): readonly string[] {
  const shown = world.expected(path, undefined);
  if (shown === undefined) return [];
  return (JSON.parse(shown) as { children: [string][] }).children.map(([name]) => name);
}

function randomPath(world: HttpWorld, chance: SeededChance): string {
  let path = `/${chance.pick(COLLECTIONS)}`;
  while (chance.below(3) > 0) {
    const children = childrenOf(world, path);
    if (children.length === 0) break;
    path += `/${chance.pick(children)}`;
  }
  return chance.below(25) === 0 ? `${path}/999` : path;
}
