import assert from 'node:assert/strict';
import type { BackendStore } from '../cache/backend.js';
import { isCacheError } from '../errors.js';
import { backendCase, type BackendCase } from './backend-case.js';
import { startsWith, type BackendSession } from './backend-session.js';

/** Every operation that a closed backend refuses. */
const operations = (
  session: BackendSession,
  store: BackendStore,
): Readonly<Record<string, () => unknown>> => {
  const { backend } = session;
  const write = { key: 'k', entry: session.entry('v'), fence: { kind: 'set' } as const };
  return {
    get: () => store.get('k'),
    getMany: () => store.getMany(['k']),
    begin: () => store.begin(['k']),
    watch: () => store.watch(),
    store: () => store.store([write]),
    delete: () => store.delete(['k']),
    clear: () => store.clear(),
    expire: () => store.expire('k', 1_000, 1_000),
    invalidateTags: () => backend.invalidateTags({ anyOf: ['blue'] }),
    clearAll: () => backend.clearAll(),
    ping: () => backend.ping(),
    ...(backend.capabilities.canScan && {
      deletePattern: () => store.deletePattern(startsWith('k')),
      scan: () => store.scan({ count: 10 }),
    }),
  };
};

/** From attaching to closing. */
export const lifecycleCases: readonly BackendCase[] = [
  backendCase('has a name and declares what it can do', async ({ backend }) => {
    assert.match(backend.name, /^\S+$/);
    const { stores, keepsInvalidations, goesOnAlone, ...claims } = backend.capabilities;
    for (const optional of [keepsInvalidations, goesOnAlone])
      assert.ok(optional === undefined || typeof optional === 'boolean');
    assert.ok(stores === 'values' || stores === 'bytes');
    const names = ['canScan', 'hasConditionalStores', 'hasGenerations', 'hasLeases', 'isShared'];
    assert.deepEqual(Object.keys(claims).sort(), names);
    for (const [name, claim] of Object.entries(claims)) assert.equal(typeof claim, 'boolean', name);
  }),
  backendCase('refuses a second manager', async (session) => {
    await assert.rejects(
      async () => session.backend.attach(session.context()),
      (error) => isCacheError(error, 'ERR_CACHE_CONFIGURATION'),
    );
  }),
  backendCase('answers a ping, and is healthy then', async ({ backend }) => {
    await backend.ping();
    assert.equal(backend.health().status, 'healthy');
    assert.ok(['closed', undefined].includes(backend.health().breaker));
  }),
  backendCase('gives flat facts', async (session) => {
    await session.set(session.open(), 'secret key', 'secret value');
    const facts = await session.backend.info();
    for (const [name, fact] of Object.entries(facts)) {
      assert.ok(typeof fact === 'string' || typeof fact === 'number', name);
    }
    assert.doesNotMatch(JSON.stringify(facts), /secret/);
  }),
  backendCase('gives one promise for every close', async ({ backend }) => {
    const closing = backend.close(1_000);
    assert.equal(backend.close(5), closing);
    await closing;
    assert.equal(backend.close(0), closing);
  }),
  backendCase('refuses everything once it is closed', async (session) => {
    const store = session.open();
    await session.set(store, 'k', 'v');
    const token = await session.begin(store, 'k');
    await session.backend.close(1_000);
    for (const [name, operation] of Object.entries(operations(session, store))) {
      await assert.rejects(
        async () => operation(),
        (error) => isCacheError(error, 'ERR_CACHE_CLOSED'),
        `${name} after close`,
      );
    }
    store.release([token]);
    assert.equal(session.backend.health().status, 'unavailable');
  }),
  backendCase('finishes what is under way when it closes', async (session) => {
    const store = session.open();
    const token = await session.begin(store, 'k');
    const storing = session.fill(store, token, 'v');
    await session.backend.close(5_000);
    assert.equal(await storing, 'stored');
  }),
  backendCase('reports no event when nothing goes wrong', async (session) => {
    const store = session.open();
    await session.setAll(store, ['a', 'b'], { tags: ['blue'] });
    await store.getMany(['a', 'b', 'c']);
    await session.backend.invalidateTags({ anyOf: ['blue'] });
    await session.expectAbsent(store, 'a');
    await store.clear();
    assert.deepEqual(
      session.events.filter(({ type }) => type !== 'bytes'),
      [],
    );
  }),
];
