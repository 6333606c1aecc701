import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { BackendStore, CallOptions } from '#internal/cache/backend.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisConnection } from '#internal/backends/redis/redis-connection.js';
import { CacheTimeoutError } from '#internal/errors.js';
import { createSandbox } from 'sinon';
import { backendContext, writeOf } from '../../../support/redis-backend-fixture.js';

type Work = (store: BackendStore, backend: RedisBackend, options: CallOptions) => unknown;

/** Every call that somebody waits for. */
const CALLS: Readonly<Record<string, Work>> = {
  get: (store, _, options) => store.get('k', options),
  'get with tags': (store, _, options) => store.get('k', { ...options, tags: ['t'] }),
  getMany: (store, _, options) => store.getMany(['k', 'j'], options),
  begin: (store, _, options) => store.begin(['k'], options),
  watch: (store, _, options) => store.watch(options),
  store: (store, _, options) => store.store([writeOf('k', 1)], options),
  delete: (store, _, options) => store.delete(['k'], options),
  deletePattern: (store, _, options) => store.deletePattern(compilePattern('*'), options),
  clear: (store, _, options) => store.clear(options),
  expire: (store, _, options) => store.expire('k', 1, 1, options),
  invalidateTags: (_, backend, options) => backend.invalidateTags({ anyOf: ['t'] }, options),
  clearAll: (_, backend, options) => backend.clearAll(options),
};

describe('the time of a call to Redis', () => {
  for (const [name, work] of Object.entries(CALLS)) {
    it(`bounds ${name}`, async () => {
      const sandbox = createSandbox();
      const refusal = new CacheTimeoutError('Redis: a test', 1);
      const call = sandbox.stub(RedisConnection.prototype, 'call').rejects(refusal);
      try {
        const backend = new RedisBackend({ url: 'redis://127.0.0.1:1', healthCheckInterval: 0 });
        backend.attach(backendContext());
        const store = backend.open({ name: 'users', version: '1' });
        let failure: unknown;
        await Promise.resolve(work(store, backend, { dueAt: 4711 })).catch((error: unknown) => {
          failure = error;
        });
        expect(failure).to.equal(refusal);
        expect(call.callCount).to.be.above(0);
        for (const { args } of call.getCalls()) expect(args[3]?.dueAt).to.equal(4711);
        await backend.close(0);
      } finally {
        sandbox.restore();
      }
    });
  }
});
