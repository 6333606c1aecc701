import type { ServerResponse } from 'node:http';
import { rawFieldNames } from './response-head.js';

type FieldValue = string | number | readonly string[] | undefined;

/**
 * The fields that were set on a response before the cache saw its request.
 *
 * Whatever set them (security headers, a request id, a session) runs for hits as well, so they are neither stored nor
 * replayed: a stored request id, or cookie, would be another client's.
 */
export class OuterFields {
  readonly #values: ReadonlyMap<string, FieldValue>;
  readonly #names: readonly string[];

  constructor(res: ServerResponse) {
    this.#names = rawFieldNames(res);
    const values = new Map<string, FieldValue>();
    for (const name of this.#names) {
      const lower = name.toLowerCase();
      const value = res.getHeader(lower);
      values.set(lower, Array.isArray(value) ? [...value] : value);
    }
    this.#values = values;
  }

  /** Whether a field has the value that it had. */
  holds(lower: string, value: FieldValue): boolean {
    if (!this.#values.has(lower)) return false;
    const own = this.#values.get(lower);
    if (own === value) return true;
    return (
      Array.isArray(own) &&
      Array.isArray(value) &&
      own.length === value.length &&
      own.every((each, index) => each === value[index])
    );
  }

  /** Takes everything off that the route has set, so that another answer can be given. */
  restore(res: ServerResponse): void {
    for (const lower of res.getHeaderNames()) {
      if (!this.holds(lower, res.getHeader(lower))) res.removeHeader(lower);
    }
    for (const name of this.#names) {
      const value = this.#values.get(name.toLowerCase());
      if (value !== undefined && !res.hasHeader(name)) res.setHeader(name, value);
    }
  }
}
