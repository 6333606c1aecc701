import type { BackendContext, BackendEvent } from '#internal/cache/backend.js';
import { silentLogger, type CacheLogger } from '#internal/cache/cache-logger.js';
import { systemClock } from '#internal/clock.js';
import { FAULTY_OPERATIONS, SharedFaultyBackend } from './shared-faulty-backend.js';

/** A shared store that can be cut off, and tells when it is back as a backend with a connection does. */
export class RecoveringBackend extends SharedFaultyBackend {
  #context: BackendContext | undefined;

  override attach(context: BackendContext): void {
    this.#context = context;
    super.attach(context);
  }

  /** Every operation fails from now on. */
  goDown(error?: Error): void {
    for (const operation of FAULTY_OPERATIONS) this.fail(operation, { error });
  }

  /** Every operation works again, and `recovered` is reported. */
  comeBack(): void {
    this.heal();
    this.report({ type: 'recovered' });
  }

  report(event: BackendEvent): void {
    this.#context!.report(event);
  }
}

/** What a manager would give to a backend, with all that is reported and logged. */
export function recordingContext(): {
  readonly context: BackendContext;
  readonly events: BackendEvent[];
  readonly lines: string[];
} {
  const events: BackendEvent[] = [];
  const lines: string[] = [];
  const note = (line: string): void => void lines.push(line);
  const logger: CacheLogger = { ...silentLogger, info: note, warn: note, error: note };
  const report = (event: BackendEvent): void => void events.push(event);
  const context = { clock: systemClock, logger, framer: undefined as never, report };
  return { context, events, lines };
}
