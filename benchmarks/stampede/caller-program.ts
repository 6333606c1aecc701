import { setTimeout as delay } from 'node:timers/promises';
import { RedisBackend } from 'cachewell/redis';
import type { BackendStore, FillToken } from 'cachewell';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { systemClock } from '#internal/clock.js';
import { DefaultFramer } from '#internal/codecs/default-framer.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import type { CallerAnswer, CallerOrder, CallerSetup } from './caller-messages.js';

/*
 * One of the processes of the stampede: many callers who want one cold key at once. It does with the backend's leases
 * what a cache with `sync: 'cluster'` does: look, ask for the lease, load or wait, look again.
 */
const { port, prefix, lease, loadMs } = JSON.parse(process.argv[2]!) as CallerSetup;
const backend = new RedisBackend({ host: '127.0.0.1', port, prefix, lease, commandTimeout: '5s' });
backend.attach({
  clock: systemClock,
  logger: silentLogger,
  framer: new DefaultFramer({ codec: new JsonCodec() }),
  report: () => undefined,
});
const store: BackendStore = backend.open({ name: 'stampede', version: '1' });
const flights = new Map<string, Promise<unknown>>();
let loads = 0;

function tell(answer: CallerAnswer): void {
  process.send!(answer);
}

async function fetchOnce(key: string): Promise<unknown> {
  for (;;) {
    const entry = await store.get(key);
    if (entry !== undefined) return entry.value;
    const [turn] = await store.beginTurns!([key]);
    if ('whenOver' in turn!) {
      await turn.whenOver;
      continue;
    }
    if (turn!.entry === undefined) return load(key, turn!.token);
    store.release([turn!.token]);
    return turn!.entry.value;
  }
}

async function load(key: string, token: FillToken): Promise<unknown> {
  loads++;
  tell({ type: 'loading' });
  await delay(loadMs);
  const value = `value of ${key}`;
  const now = systemClock.now();
  const times = { createdAt: now, expiresAt: now + 60_000, retainedUntil: now + 60_000 };
  const entry = { value, kind: 'value', tags: [], loadCostMs: loadMs, ...times } as const;
  await store.store([{ key, entry, fence: { kind: 'fill', token } }]);
  return value;
}

/** Callers of one process wait for one fetch. */
function fetchShared(key: string): Promise<unknown> {
  let flight = flights.get(key);
  if (flight === undefined) {
    flight = fetchOnce(key).finally(() => flights.delete(key));
    flights.set(key, flight);
  }
  return flight;
}

async function run({ key, callers }: CallerOrder): Promise<void> {
  loads = 0;
  const startedAt = performance.now();
  const values = await Promise.all(Array.from({ length: callers }, () => fetchShared(key)));
  const wrong = values.filter((value) => value !== `value of ${key}`).length;
  tell({ type: 'done', loads, wrong, tookMs: performance.now() - startedAt });
}

process.on('message', (order: CallerOrder) => void run(order));
process.on('disconnect', () => void backend.close(1000));
await backend.ping();
// So that the first trial finds scripts and subscription as the others do.
const [warm] = await store.beginTurns!([`warm ${process.pid}`]);
if ('token' in warm!) store.release([warm.token]);
tell({ type: 'ready' });
