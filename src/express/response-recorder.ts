import type { ServerResponse } from 'node:http';
import { bodyArguments, ownBytes, type WriteCallback } from './body-arguments.js';
import { BodyCopy, type RecordingLimits } from './body-copy.js';
import type { OuterFields } from './outer-fields.js';
import { rawResponse, type RawResponse, type ResponseMethods } from './raw-response.js';
import { standBefore, type MethodStandIn } from './recorded-methods.js';
import {
  captureHead,
  headArguments,
  setFields,
  type CapturedHead,
  type HeadArguments,
} from './response-head.js';

/**
 * What becomes of a response whose head is complete.
 *
 * - `pass`: it goes out, and nothing is kept
 * - `record`: it goes out as it is written, and a copy is kept
 * - `hold`: nothing goes out until it is known what does; a copy is kept
 * - `swallow`: something else has gone out; a copy is kept if `isKept`
 */
export type HeadVerdict =
  | { readonly kind: 'pass' | 'record'; readonly fields?: readonly string[] }
  | { readonly kind: 'hold' }
  | { readonly kind: 'swallow'; readonly isKept: boolean };

/** Who decides about a response while it is written. What it throws is its own fault: the response passes. */
export interface ResponseObserver {
  /**
   * The head is complete, and nothing has gone out.
   *
   * @param whole - the body, where it came in one piece together with the head
   */
  onHead(head: CapturedHead, whole: Uint8Array | undefined): HeadVerdict;
  /** The route has ended the response. `body` is `undefined` where no copy was kept. */
  onEnd(body: Buffer | undefined): void;
  /** There was no room for the body. A held response goes out after this. */
  onOverflow(): void;
  /** The connection was closed, or the response destroyed, before the route ended it. */
  onAbort(): void;
  /** A decision failed. */
  onFault(error: unknown): void;
}

/** What a held response has to go out with. */
interface Held {
  readonly head: HeadArguments;
  readonly chunks: Buffer[];
  callback?: WriteCallback | undefined;
}

/** What a `ServerResponse` keeps to itself. */
interface NodesOwn {
  /** The length of its body, so that `end` alone can announce it. */
  _contentLength?: number | null;
  /** The fields behind the body, written. */
  _trailer?: string;
}

const NOTHING = Buffer.alloc(0);

/**
 * Watches a route writing its response, in all the ways that Node offers, and lets what goes out be decided once the
 * head is complete.
 *
 * It replaces methods of the response by its own, which go on to the ones that were there: those of the response, or of a
 * middleware before the cache, such as compression, which therefore gets what the route wrote. A middleware behind the cache
 * replaces ours and goes on to them, so what it makes of the body is kept.
 */
export class ResponseRecorder implements MethodStandIn {
  readonly #res: ServerResponse;
  readonly #observer: ResponseObserver;
  readonly #outer: OuterFields;
  readonly #copy: BodyCopy;
  readonly #methods: ResponseMethods;
  #mode: 'open' | HeadVerdict['kind'] = 'open';
  #isKept = false;
  #isEnded = false;
  #isFlushed = false;
  #held: Held | undefined;
  #whole: Buffer | undefined;

  constructor(
    res: ServerResponse,
    observer: ResponseObserver,
    limits: RecordingLimits,
    outer: OuterFields,
  ) {
    this.#res = res;
    this.#observer = observer;
    this.#outer = outer;
    this.#copy = new BodyCopy(limits);
    this.#methods = standBefore(res, this);
    res.once('close', () => this.#onClose());
  }

  /** Whether the route sent the head before there was a body, so that the client need not wait. */
  get isFlushed(): boolean {
    return this.#isFlushed;
  }

  /** Whether the route has added fields behind the body. */
  get hasTrailers(): boolean {
    return Boolean((this.#res as NodesOwn)._trailer);
  }

  /** Stops keeping a copy. What goes out stays as it is. */
  stop(): void {
    this.#isKept = false;
    this.#copy.drop();
    if (this.#mode === 'record') this.#mode = 'pass';
  }

  /** Lets a held response out, with further fields. A copy is kept on where one was. */
  release(fields: readonly string[] = []): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#unhold();
    this.#mode = this.#isKept && !this.#isEnded ? 'record' : 'pass';
    this.#sendHead(held.head, fields);
    for (const chunk of held.chunks) this.#methods.write.call(this.#res, chunk);
    if (this.#isEnded) this.#methods.end.call(this.#res, held.callback);
  }

  /**
   * Gives another answer in place of a held or swallowed one.
   *
   * @param send - gets the ways out of a response without anything that the route has set
   */
  replace(send: (raw: RawResponse) => void): void {
    const callback = this.#held?.callback;
    this.#unhold();
    this.#mode = 'swallow';
    this.#outer.restore(this.#res);
    this.#res.statusMessage = '';
    if (callback !== undefined) this.#res.once('finish', callback);
    send(rawResponse(this.#res, this.#methods));
  }

  /** As the route calls it. */
  writeHead(args: unknown[]): ServerResponse {
    const head = headArguments(args);
    // An interim answer is none, and a second head is refused where the first one was sent.
    if (this.#mode !== 'open' || head.status < 200) {
      if (!this.#isWithheld()) this.#methods.writeHead.apply(this.#res, args);
      return this.#res;
    }
    const verdict = this.#judge(head);
    this.#mode = verdict.kind;
    if (verdict.kind === 'hold') {
      this.#isKept = true;
      this.#held = { head, chunks: [] };
      // To the route the head has been written.
      Object.defineProperty(this.#res, 'headersSent', { configurable: true, get: () => true });
    } else if (verdict.kind === 'swallow') this.#isKept = verdict.isKept;
    else {
      this.#isKept = verdict.kind === 'record';
      this.#letHeadOut(args, head, verdict.fields);
    }
    return this.#res;
  }

  /** What is written after a head that could not be sent is another response: an error page is not the route's 200. */
  #letHeadOut(args: unknown[], head: HeadArguments, fields: readonly string[] | undefined): void {
    try {
      if (fields === undefined || fields.length === 0) {
        this.#methods.writeHead.apply(this.#res, args);
      } else this.#sendHead(head, fields);
    } catch (error) {
      this.#mode = 'pass';
      this.stop();
      this.#observer.onAbort();
      throw error;
    }
  }

  #judge(head: HeadArguments): HeadVerdict {
    try {
      const captured = captureHead(this.#res, head, (name, value) =>
        this.#outer.holds(name, value),
      );
      return this.#observer.onHead(captured, this.#whole);
    } catch (error) {
      this.#observer.onFault(error);
      return { kind: 'pass' };
    }
  }

  /** As the route calls it. */
  write(args: unknown[]): boolean {
    if (this.#mode === 'open') this.#res.writeHead(this.#res.statusCode);
    if (this.#mode !== 'pass') {
      const given = bodyArguments(args);
      const bytes = ownBytes(given);
      if (bytes !== undefined) {
        this.#keep(bytes);
        if (this.#isWithheld()) return this.#withhold(bytes, given.callback);
      }
    }
    // What is no chunk is for the response itself to refuse.
    return this.#methods.write.apply(this.#res, args) as boolean;
  }

  /** As the route calls it. */
  end(args: unknown[]): ServerResponse {
    if (this.#isEnded) {
      if (!this.#isWithheld()) this.#methods.end.apply(this.#res, args);
      return this.#res;
    }
    if (this.#mode === 'pass') {
      this.#isEnded = true;
      this.#methods.end.apply(this.#res, args);
      this.#observer.onEnd(undefined);
      return this.#res;
    }
    const given = bodyArguments(args);
    const bytes = ownBytes(given);
    if (this.#mode === 'open' && !this.#res.headersSent) {
      this.#whole = bytes ?? NOTHING;
      // As the response would do itself, had it been left to it to write the head.
      (this.#res as NodesOwn)._contentLength = this.#whole.byteLength;
      this.#res.writeHead(this.#res.statusCode);
      this.#whole = undefined;
    }
    if (bytes !== undefined) this.#keep(bytes);
    this.#isEnded = true;
    if (this.#isWithheld()) {
      if (bytes !== undefined) this.#withhold(bytes, undefined);
      if (this.#held !== undefined) this.#held.callback = given.callback;
      else if (given.callback !== undefined) process.nextTick(given.callback);
    } else this.#endRaw(args);
    this.#finish();
    return this.#res;
  }

  #endRaw(args: unknown[]): void {
    try {
      this.#methods.end.apply(this.#res, args);
    } catch (error) {
      this.stop();
      this.#observer.onAbort();
      throw error;
    }
  }

  /** As the route calls it. */
  flushHeaders(): void {
    if (this.#mode === 'open') {
      this.#isFlushed = true;
      this.#res.writeHead(this.#res.statusCode);
    }
    if (!this.#isWithheld()) this.#methods.flushHeaders.call(this.#res);
  }

  #onClose(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.stop();
    this.#observer.onAbort();
  }

  /** Whether what the route writes does not go out now. */
  #isWithheld(): boolean {
    return this.#mode === 'hold' || this.#mode === 'swallow';
  }

  #keep(bytes: Buffer): void {
    if (!this.#isKept || this.#copy.add(bytes)) return;
    this.stop();
    this.#observer.onOverflow();
  }

  /** Takes a chunk that does not go out now. */
  #withhold(bytes: Buffer, callback: WriteCallback | undefined): boolean {
    if (callback !== undefined) process.nextTick(callback);
    this.#held?.chunks.push(bytes);
    // Where there is no room for a copy, there is none for this either.
    if (!this.#isKept && this.#held !== undefined && !this.#isEnded) this.release();
    return this.#isWithheld() || !this.#res.writableNeedDrain;
  }

  #finish(): void {
    try {
      this.#observer.onEnd(this.#isKept ? this.#copy.whole() : undefined);
    } catch (error) {
      this.#observer.onFault(error);
      this.release();
    } finally {
      this.#copy.drop();
    }
  }

  #sendHead({ status, reason, fields }: HeadArguments, further: readonly string[]): void {
    if (fields !== undefined) setFields(this.#res, fields);
    for (let index = 0; index < further.length; index += 2) {
      const name = further[index]!;
      // A list to which each cache on the way adds its own (RFC 9211 section 2).
      if (name === 'Cache-Status' && this.#res.hasHeader(name))
        this.#res.appendHeader(name, further[index + 1]!);
      else this.#res.setHeader(name, further[index + 1]!);
    }
    if (reason === undefined) this.#methods.writeHead.call(this.#res, status);
    else this.#methods.writeHead.call(this.#res, status, reason);
  }

  #unhold(): void {
    if (this.#held === undefined) return;
    this.#held = undefined;
    delete (this.#res as { headersSent?: unknown }).headersSent;
  }
}
