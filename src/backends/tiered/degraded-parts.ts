import type { BackendEvent } from '../../cache/backend.js';
import type { CacheError } from '../../errors.js';

/**
 * Which parts of the backend do not answer. Each failure is reported; that all is well again only once, when the last
 * part is back: one part's recovery must not hide another's outage.
 */
export class DegradedParts {
  readonly #report: (event: BackendEvent) => void;
  readonly #parts = new Set<string>();

  constructor(report: (event: BackendEvent) => void) {
    this.#report = report;
  }

  /** A part does not answer. */
  degraded(part: string, error: CacheError): void {
    this.#parts.add(part);
    this.#report({ type: 'degraded', error });
  }

  /** A part answers again. */
  recovered(part: string): void {
    this.#parts.delete(part);
    if (this.#parts.size === 0) this.#report({ type: 'recovered' });
  }
}
