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
  /** What was there before, of the fields that were changed; `undefined` where none was. */
  readonly #before: Map<string, string | undefined> | undefined;
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
    this.isPart = hidesRange && headers.range !== undefined;
    this.isAsked = this.isPart || CONDITIONALS.some((name) => headers[name] !== undefined);
    const wanted = Object.entries(conditions);
    const isChanged = this.isAsked || wanted.length > 0;
    this.original = isChanged ? { ...headers } : headers;
    this.#before = isChanged ? new Map() : undefined;
    if (!isChanged) return;
    if (this.isAsked) {
      for (const name of hidesRange ? [...CONDITIONALS, ...RANGES] : CONDITIONALS) {
        this.#set(name, undefined);
      }
    }
    for (const [name, value] of wanted) this.#set(name, value);
  }

  /** Puts the client's fields back. */
  restore(): void {
    if (this.#before === undefined) return;
    for (const [name, value] of this.#before) put(this.#headers, name, value);
  }

  #set(name: string, value: string | undefined): void {
    if (!this.#before!.has(name))
      this.#before!.set(name, this.#headers[name] as string | undefined);
    put(this.#headers, name, value);
  }
}

function put(headers: IncomingHttpHeaders, name: string, value: string | undefined): void {
  if (value === undefined) delete headers[name];
  else headers[name] = value;
}
