import type { IncomingHttpHeaders } from 'node:http';
import type { FieldMap } from '../http/http-message.js';
import type { HttpRequest } from './http-middleware.js';

const CONDITIONALS = ['if-none-match', 'if-modified-since'] as const;
const RANGES = ['range', 'if-range'] as const;

/**
 * Request fields that the handler does not see while it makes a response that is to be stored: with the client's conditionals
 * it could answer 304, with its range a part, and neither would fill the cache. They are put back once the response has
 * ended, for whoever reads the request afterwards.
 */
export class HiddenFields {
  readonly #headers: IncomingHttpHeaders;
  readonly #before: ReadonlyMap<string, string | undefined>;
  /** The fields as the client sent them. */
  readonly original: FieldMap;
  /** Whether the client sent a conditional or a range that was taken away. */
  readonly isAsked: boolean;
  /** Whether it sent a range that was taken away. */
  readonly isPart: boolean;

  constructor(
    { headers }: HttpRequest,
    hidesRange: boolean,
    conditions: Readonly<Record<string, string>>,
  ) {
    this.#headers = headers;
    const names: readonly string[] = hidesRange ? [...CONDITIONALS, ...RANGES] : CONDITIONALS;
    const before = new Map<string, string | undefined>();
    for (const name of names) {
      const value = headers[name] as string | undefined;
      if (value !== undefined) before.set(name, value);
    }
    this.isAsked = before.size > 0;
    this.isPart = hidesRange && before.has('range');
    const wanted = Object.entries(conditions);
    this.original = this.isAsked || wanted.length > 0 ? { ...headers } : headers;
    for (const name of before.keys()) delete headers[name];
    for (const [name, value] of wanted) {
      if (!before.has(name)) before.set(name, undefined);
      headers[name] = value;
    }
    this.#before = before;
  }

  /** Puts the client's fields back. */
  restore(): void {
    for (const [name, value] of this.#before) {
      if (value === undefined) delete this.#headers[name];
      else this.#headers[name] = value;
    }
  }
}
