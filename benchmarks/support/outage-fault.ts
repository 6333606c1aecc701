import { FaultProxy } from 'cachewell/testing';
import { startRedis, type BenchmarkRedis } from './redis-server.js';
import { UsageError } from './usage.js';

/** How an outage of Redis looks from outside, by the name of the option. */
export const OUTAGE_FAULTS = {
  frozen: 'frozen (SIGSTOP)',
  'black-hole': 'behind a proxy that swallows every byte',
  slow: 'behind a proxy that holds every answer back for 200 ms',
  killed: 'killed (SIGKILL), and empty when it comes back',
} as const;

export type OutageFault = keyof typeof OUTAGE_FAULTS;

/** A redis-server, and the way to it, that can be made to fail. */
export interface FailingRedis {
  /** Where the application is to reach it. */
  readonly port: number;
  readonly version: string;
  begin(): Promise<void>;
  end(): Promise<void>;
  stop(): Promise<void>;
}

const SLOW_MS = 200;

/** @throws {@link UsageError} when there is no such fault */
export function outageFault(given: string | boolean | undefined): OutageFault {
  const name = String(given ?? 'frozen');
  if (Object.hasOwn(OUTAGE_FAULTS, name)) return name as OutageFault;
  throw new UsageError(`--fault: expected ${Object.keys(OUTAGE_FAULTS).join(', ')}, got '${name}'`);
}

/** Starts a server for an outage. Only the faults of the network have a proxy before it. */
export async function startFailingRedis(fault: OutageFault): Promise<FailingRedis> {
  let server: BenchmarkRedis = await startRedis();
  const { port, version } = server;
  if (fault === 'frozen') {
    return {
      port,
      version,
      begin: async () => server.freeze(),
      end: async () => server.thaw(),
      stop: () => server.stop(),
    };
  }
  if (fault === 'killed') {
    return {
      port,
      version,
      begin: () => server.stop(),
      end: async () => {
        server = await startRedis([], port);
      },
      stop: () => server.stop(),
    };
  }
  const proxy = await FaultProxy.start({ target: { port } });
  return {
    port: proxy.port,
    version,
    begin: async () => {
      if (fault === 'slow') proxy.delay(SLOW_MS, 'toClient');
      else proxy.swallow();
    },
    end: () => proxy.heal(),
    stop: async () => {
      await proxy.close();
      await server.stop();
    },
  };
}
