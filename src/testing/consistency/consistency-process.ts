/*
 * The program of one process of a run: opens the subject, works, and tells its checker what it sees. It ends when it is
 * through, or when the checker does.
 */
import { ConsistencyRunError } from './consistency-run-error.js';
import type { OpenSubject } from './consistency-subject.js';
import { KeySpace } from './key-space.js';
import type {
  CheckerMessage,
  OperationFailure,
  ProcessMessage,
  ProcessOrders,
} from './process-messages.js';
import type { OperationRecord } from './operation-record.js';
import { SeededChance } from './seeded-chance.js';
import { Workload } from './workload.js';

/** How often records are sent, in milliseconds. */
const REPORT_INTERVAL_MS = 25;
const NANOSECONDS = 1_000_000;

let start = (): void => undefined;
let stop = (): void => undefined;
const started = new Promise<void>((resolve) => (start = resolve));

process.on('message', (message: CheckerMessage) => {
  if (message.type === 'open') void work(message.orders);
  else if (message.type === 'start') start();
  else stop();
});
process.on('disconnect', () => process.exit());
void send({ type: 'here' });

async function work(orders: ProcessOrders): Promise<void> {
  try {
    const module = (await import(orders.subject)) as { readonly openSubject?: OpenSubject };
    if (typeof module.openSubject !== 'function') {
      return await send({ type: 'failed', reason: `${orders.subject} exports no openSubject` });
    }
    const subject = await module.openSubject({
      process: orders.process,
      options: orders.subjectOptions,
    });
    let records: OperationRecord[] = [];
    let failures: OperationFailure[] = [];
    const workload = new Workload(subject, {
      ...orders,
      keySpace: new KeySpace(orders.keys),
      chance: new SeededChance(orders.seed),
      now: () => Number(process.hrtime.bigint() - orders.base),
      emit: (record) => void records.push(record),
      fail: (operation, error) => void failures.push({ operation, reason: messageOf(error) }),
    });
    const report = (): Promise<void> => {
      const sent = send({ type: 'records', records, failures, progress: workload.progress() });
      records = [];
      failures = [];
      return sent;
    };
    stop = () => workload.stop();
    await send({ type: 'ready' });
    await started;
    let giveUp = (_reason: string): void => undefined;
    const stuck = new Promise<never>((_, reject) => {
      giveUp = (reason) => reject(new ConsistencyRunError(reason));
    });
    const timer = setInterval(() => {
      void report();
      const { completedTo, openSince } = workload.progress();
      if (completedTo - openSince <= orders.patienceMs * NANOSECONDS) return;
      giveUp(`${workload.open} operations did not end within ${orders.patienceMs} ms`);
    }, REPORT_INTERVAL_MS);
    await Promise.race([workload.run(), stuck]);
    clearInterval(timer);
    await report();
    await subject.close();
    await send({ type: 'done' });
    process.disconnect();
  } catch (error) {
    await send({ type: 'failed', reason: messageOf(error) });
  }
}

function send(message: ProcessMessage): Promise<void> {
  return new Promise((resolve) => process.send!(message, () => resolve()));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
