import { invalidates } from '../http/safe-methods.js';
import { holdResponse } from './held-response.js';
import type { InvalidationPlan } from './http-invalidation-plan.js';
import { headField, type HeadArguments } from './http-invalidation-targets.js';
import type { HttpResponse } from './http-middleware.js';
import { methodsOf, replaceMethods } from './raw-response.js';

/** How long a response is held by a store that does not say how long its calls may take, in milliseconds. */
const HOLD_LIMIT_MS = 1000;
/** So much longer than its own limit a store may take to give up. In milliseconds. */
const GRACE_MS = 100;

/** A call of the handler that sends bytes: some, or the last ones. */
type Sending = 'part' | 'last';

/**
 * The response of a write: finds the moments at which it must invalidate, and holds the bytes meanwhile.
 *
 * Bytes go out by `write`, `flushHeaders` and `end`, a pipe included; the head is made by `writeHead`, which Node calls by
 * itself where nobody else has. A response that `end` sends as a whole is invalidated for once. One in parts is so before
 * its first bytes and before its last ones, for the handler may change data in between.
 */
export class InvalidatingResponse {
  readonly #method: string;
  readonly #res: HttpResponse;
  readonly #plan: InvalidationPlan;
  /** What `writeHead` was called with; `undefined` until it was. */
  #head: HeadArguments | undefined;
  /** The call that is under way, the outermost where wrappers nest. */
  #sending: Sending | undefined;
  #hasBegun = false;
  /** In bytes. */
  #written = 0;
  /** Whether data may have changed since the last invalidation began. */
  #isOpen = false;
  #holds = 0;
  #letGo: (() => void) | undefined;

  constructor(method: string, res: HttpResponse, plan: InvalidationPlan) {
    this.#method = method;
    this.#res = res;
    this.#plan = plan;
  }

  watch(): void {
    const res = this.#res;
    const { writeHead, write, flushHeaders, end } = methodsOf(res);
    replaceMethods(res, {
      writeHead: (...args) => {
        const result = writeHead.apply(res, args);
        this.#onHead(args);
        return result;
      },
      write: (...args) =>
        this.#send(this.#completes(args) ? 'last' : 'part', () => write.apply(res, args)),
      flushHeaders: (...args) => this.#send('part', () => flushHeaders.apply(res, args)),
      end: (...args) => this.#send('last', () => end.apply(res, args)),
    });
    res.once('close', () => this.#onClose());
  }

  #send<Result>(sending: Sending, run: () => Result): Result {
    if (this.#sending !== undefined) return run();
    this.#sending = sending;
    try {
      if (this.#head !== undefined) this.#beforeBytes(sending);
      return run();
    } finally {
      this.#sending = undefined;
      if (sending === 'last') this.#onEnded();
    }
  }

  /** With a declared length the client has the whole response before `end` is called. */
  #completes([chunk, encoding]: readonly unknown[]): boolean {
    if (this.#sending !== undefined) return false;
    const [declared] = headField(this.#res, this.#head ?? [], 'content-length');
    if (declared === undefined) return false;
    if (chunk instanceof Uint8Array) this.#written += chunk.byteLength;
    else if (typeof chunk === 'string')
      this.#written += Buffer.byteLength(chunk, encodingOf(encoding));
    return this.#written >= Number(declared);
  }

  #onHead(head: HeadArguments): void {
    if (this.#head !== undefined || this.#res.statusCode < 200) return;
    this.#head = head;
    this.#isOpen = this.#isSuccess();
    if (this.#sending !== undefined) this.#beforeBytes(this.#sending);
  }

  #beforeBytes(sending: Sending): void {
    if (!this.#isOpen || this.#plan.timing === 'after') return;
    if (sending === 'part' && this.#hasBegun) return;
    this.#hasBegun = true;
    if (sending === 'last') this.#isOpen = false;
    this.#invalidateHeld();
  }

  /** A client that is gone gets no head, but the handler has done its work. */
  #onEnded(): void {
    if (this.#head !== undefined || !this.#res.destroyed || !this.#isSuccess()) return;
    this.#head = [];
    void this.#plan.invalidate(this.#head);
  }

  /** The end of a response that need not be fresh, or that broke off. */
  #onClose(): void {
    if (!this.#isOpen || this.#head === undefined) return;
    this.#isOpen = false;
    void this.#plan.invalidate(this.#head);
  }

  #isSuccess(): boolean {
    return invalidates(this.#method, this.#res.statusCode);
  }

  #invalidateHeld(): void {
    const release = this.#hold();
    const limit = setTimeout(release, (this.#plan.callTimeoutMs ?? HOLD_LIMIT_MS) + GRACE_MS);
    void this.#plan.invalidate(this.#head!).finally(() => {
      clearTimeout(limit);
      release();
    });
  }

  /** Holds may overlap: the response goes when the last of them is over. */
  #hold(): () => void {
    if (this.#holds++ === 0) this.#letGo = holdResponse(this.#res);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#holds === 0) this.#letGo!();
    };
  }
}

function encodingOf(encoding: unknown): BufferEncoding | undefined {
  return Buffer.isEncoding(encoding as string) ? (encoding as BufferEncoding) : undefined;
}
