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
  readonly #names: readonly string[];
  readonly #lowers: readonly string[];
  readonly #values: readonly FieldValue[];

  constructor(res: ServerResponse) {
    this.#names = rawFieldNames(res);
    this.#lowers = this.#names.map((name) => name.toLowerCase());
    this.#values = this.#lowers.map((lower) => {
      const value = res.getHeader(lower);
      return Array.isArray(value) ? [...value] : value;
    });
  }

  /** Whether a field has the value that it had. */
  holds(lower: string, value: FieldValue): boolean {
    const index = this.#lowers.indexOf(lower);
    if (index === -1) return false;
    const own = this.#values[index];
    if (own === value) return true;
    return (
      Array.isArray(own) &&
      Array.isArray(value) &&
      own.length === value.length &&
      own.every((each, at) => each === value[at])
    );
  }

  /** Takes everything off that the route has set, so that another answer can be given. */
  restore(res: ServerResponse): void {
    for (const lower of res.getHeaderNames()) {
      if (!this.holds(lower, res.getHeader(lower))) res.removeHeader(lower);
    }
    this.#names.forEach((name, index) => {
      const value = this.#values[index];
      if (value !== undefined && !res.hasHeader(name)) res.setHeader(name, value);
    });
  }
}
