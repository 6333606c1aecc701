import type { RedisBackendOptions } from '#internal/backends/redis/redis-options.js';
import type { FillToken } from '#internal/cache/backend.js';
import { attachedBackend, valueOf, writeOf } from './redis-backend-fixture.js';
import type { RemoteRequest } from './redis-remote.js';

/** The other process of two-process specs: does to its own backend what its parent asks for. */
const { store, backend } = attachedBackend({
  url: process.argv[2],
  commandTimeout: '5s',
  ...(JSON.parse(process.argv[3] ?? '{}') as RedisBackendOptions),
});
let token: FillToken | undefined;

async function perform({ action, key = '', value, tags = [] }: RemoteRequest): Promise<unknown> {
  switch (action) {
    case 'begin':
      token = (await store.begin([key]))[0]!.token;
      return undefined;
    case 'turn': {
      const [turn] = await store.beginTurns!([key]);
      const isGranted = 'token' in turn!;
      if (isGranted) token = turn.token;
      return isGranted;
    }
    case 'fill':
    case 'put':
      return (
        await store.store([writeOf(key, value, { kind: action, token: token! }, { tags })])
      )[0];
    case 'set':
      return (await store.store([writeOf(key, value, { kind: 'set' }, { tags })]))[0];
    case 'get':
      return valueOf(store, key);
    case 'delete':
      return store.delete([key]);
    case 'clear':
      return store.clear();
    case 'tags':
      return backend.invalidateTags({ anyOf: tags });
    case 'close':
      return backend.close(1000);
  }
}

process.on('message', (request: RemoteRequest) => {
  void perform(request).then((answer) => {
    process.send!({ answer });
    if (request.action === 'close') process.disconnect();
  });
});
