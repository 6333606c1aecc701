/**
 * Where the library reports to people. Messages are complete sentences; details are flat, and hold no value, no
 * password, no URL credentials.
 */
export interface CacheLogger {
  /** What happened in detail: hits, misses, loads. */
  debug(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** News that need nobody: a store that answers again. */
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** The cache failed, and calls go on without it. */
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** Something is lost that cannot be made good. */
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** The levels of a {@link CacheLogger}, from the most talkative to silence. */
export type CacheLogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const ORDER: readonly CacheLogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

const ignore = (): void => undefined;

/** Writes to the console what is at least as grave as `level`. */
export function consoleLogger(level: CacheLogLevel = 'warn'): CacheLogger {
  const at = (own: Exclude<CacheLogLevel, 'silent'>): CacheLogger['warn'] =>
    ORDER.indexOf(own) < ORDER.indexOf(level)
      ? ignore
      : (message, details) => {
          if (details === undefined) console[own](`[cachewell] ${message}`);
          else console[own](`[cachewell] ${message}`, details);
        };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Says nothing. */
export const silentLogger: CacheLogger = consoleLogger('silent');
