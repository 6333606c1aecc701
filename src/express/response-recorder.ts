import { ServerResponse } from 'node:http';
import { BufferShare } from './buffer-budget.js';
import {
  captureHead,
  headArguments,
  setFields,
  type CapturedHead,
  type HeadArguments,
} from './response-head.js';
import { isPlainResponse, type RawResponse } from './raw-response.js';
import type { OuterFields } from './outer-fields.js';

/**
 * What becomes of a response whose head is complete.
 *
 * - `pass`: it goes out, and nothing is kept
 * - `record`: it goes out as it is written, and a copy is kept
 * - `hold`: nothing goes out until it is known what does; a copy is kept
 * - `swallow`: something else has gone out; a copy is kept if `isKept`
 */
export type HeadVerdict =
  | { readonly kind: 'pass'; readonly fields?: readonly string[] }
  | { readonly kind: 'record'; readonly fields?: readonly string[] }
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
  /** The body is too large to be kept. A held response goes out after this. */
  onOverflow(): void;
  /** The connection was closed, or the response destroyed, before the route ended it. */
  onAbort(): void;
  /** A decision failed. */
  onFault(error: unknown): void;
}

/** How much of a body is kept. */
export interface RecordingLimits {
  readonly maxResponseSize: number;
  readonly maxBufferedBytes: number;
}

type Method = (this: ServerResponse, ...args: unknown[]) => unknown;
type Callback = (error?: Error | null) => void;
interface HeldChunk {
  readonly chunk: Buffer;
  readonly callback: Callback | undefined;
}

/** What a `ServerResponse` keeps of its body's length, so that `end` alone can announce it. */
interface LengthAware {
  _contentLength?: number | null;
}

/**
 * Watches a route writing its response, in all the ways that Node offers, and lets what goes out be decided once the
 * head is complete.
 *
 * It replaces methods of the response by its own, which go on to the ones that were there: those of the response, or of a
 * middleware before the cache, such as compression, which therefore gets what the route wrote. A middleware behind the cache
 * replaces ours and goes on to them, so what it makes of the body is kept.
 */
export class ResponseRecorder {
  readonly res: ServerResponse;
  readonly #observer: ResponseObserver;
  readonly #limits: RecordingLimits;
  readonly #outer: OuterFields;
  readonly #share: BufferShare;
  readonly #writeHead: Method;
  readonly #write: Method;
  readonly #end: Method;
  readonly #flushHeaders: ServerResponse['flushHeaders'];
  #mode: 'open' | 'pass' | 'record' | 'hold' | 'swallow' = 'open';
  #isKept = false;
  #isEnded = false;
  #isFlushed = false;
  #hasTrailers = false;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #held:
    | { readonly head: HeadArguments; readonly chunks: HeldChunk[]; end?: Callback | undefined }
    | undefined;
  #whole: Uint8Array | undefined;

  constructor(
    res: ServerResponse,
    observer: ResponseObserver,
    limits: RecordingLimits,
    outer: OuterFields,
  ) {
    this.res = res;
    this.#observer = observer;
    this.#limits = limits;
    this.#outer = outer;
    this.#share = new BufferShare(limits.maxBufferedBytes);
    this.#writeHead = res.writeHead as Method;
    this.#write = res.write as Method;
    this.#end = res.end as Method;
    this.#flushHeaders = res.flushHeaders;
    res.writeHead = ((...args: unknown[]) =>
      this.#onWriteHead(args)) as ServerResponse['writeHead'];
    res.write = ((...args: unknown[]) => this.#onWrite(args)) as ServerResponse['write'];
    res.end = ((...args: unknown[]) => this.#onEnd(args)) as ServerResponse['end'];
    res.flushHeaders = () => this.#onFlushHeaders();
    const { addTrailers } = res;
    res.addTrailers = (trailers) => {
      this.#hasTrailers = true;
      addTrailers.call(res, trailers);
    };
    res.once('close', () => this.#onClose());
  }

  /** Whether the route sent the head before there was a body, so that the client need not wait. */
  get isFlushed(): boolean {
    return this.#isFlushed;
  }

  /** Whether the route has added fields behind the body. */
  get hasTrailers(): boolean {
    return this.#hasTrailers;
  }

  /** Whether the route has ended the response. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** How many bytes of body there were so far, where a copy is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Stops keeping a copy. What goes out stays as it is. */
  stop(): void {
    this.#drop();
    if (this.#mode === 'record') this.#mode = 'pass';
  }

  /** Lets a held response out, with further fields. A copy is kept on where one was. */
  release(fields: readonly string[] = []): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#unhold();
    this.#mode = this.#isKept && !this.#isEnded ? 'record' : 'pass';
    this.#sendHead(held.head, fields);
    for (const { chunk, callback } of held.chunks) {
      this.#write.call(this.res, chunk, 'utf8', callback);
    }
    if (this.#isEnded) this.#end.call(this.res, held.end);
  }

  /**
   * Gives another answer in place of a held or swallowed one.
   *
   * @param send - gets the methods that go out, and a response without anything that the route has set
   */
  replace(send: (raw: RawResponse) => void): void {
    const callback = this.#held?.end;
    this.#unhold();
    this.#mode = 'swallow';
    this.#outer.restore(this.res);
    this.res.statusMessage = undefined as never;
    if (callback !== undefined) this.res.once('finish', callback);
    send(this.raw());
  }

  /** The ways out that this recorder stands before. */
  raw(): RawResponse {
    return {
      res: this.res,
      isPlain: isPlainResponse(
        this.res,
        this.#writeHead !== (ServerResponse.prototype.writeHead as Method),
      ),
      writeHead: (status, fields) =>
        fields === undefined
          ? this.#writeHead.call(this.res, status)
          : this.#writeHead.call(this.res, status, fields),
      end: (body) =>
        body === undefined ? this.#end.call(this.res) : this.#end.call(this.res, body, 'utf8'),
    };
  }

  #onWriteHead(args: readonly unknown[]): ServerResponse {
    const head = headArguments(args);
    // An interim answer is none; a second head is refused where the first one was sent.
    if (this.#mode !== 'open' || head.status < 200) {
      if (this.#mode !== 'hold' && this.#mode !== 'swallow') {
        this.#writeHead.apply(this.res, [...args]);
      }
      return this.res;
    }
    let verdict: HeadVerdict;
    try {
      const captured = captureHead(this.res, head, (name, value) => this.#outer.holds(name, value));
      verdict = this.#observer.onHead(captured, this.#whole);
    } catch (error) {
      this.#observer.onFault(error);
      verdict = { kind: 'pass' };
    }
    this.#mode = verdict.kind;
    switch (verdict.kind) {
      case 'pass':
      case 'record':
        this.#isKept = verdict.kind === 'record';
        if (verdict.fields === undefined || verdict.fields.length === 0) {
          this.#writeHead.apply(this.res, [...args]);
        } else this.#sendHead(head, verdict.fields);
        break;
      case 'hold':
        this.#isKept = true;
        this.#held = { head, chunks: [] };
        // To the route the head has been written.
        Object.defineProperty(this.res, 'headersSent', { configurable: true, get: () => true });
        break;
      case 'swallow':
        this.#isKept = verdict.isKept;
        break;
    }
    return this.res;
  }

  #onWrite(args: readonly unknown[]): boolean {
    if (this.#mode === 'open') this.res.writeHead(this.res.statusCode);
    if (this.#mode === 'pass') return this.#write.apply(this.res, [...args]) as boolean;
    const { chunk, encoding, callback } = bodyArguments(args);
    const bytes = chunk === undefined ? undefined : bytesOf(chunk, encoding);
    // What is no chunk is for the response itself to refuse.
    if (bytes === undefined || this.#mode === 'record') {
      if (bytes !== undefined) this.#keep(bytes, chunk);
      return this.#write.apply(this.res, [...args]) as boolean;
    }
    return this.#take(bytes, chunk, callback);
  }

  #onEnd(args: readonly unknown[]): ServerResponse {
    if (this.#isEnded || this.#mode === 'pass') {
      if (this.#mode === 'hold' || this.#mode === 'swallow') return this.res;
      this.#end.apply(this.res, [...args]);
      if (!this.#isEnded) {
        this.#isEnded = true;
        this.#finish();
      }
      return this.res;
    }
    const { chunk, encoding, callback } = bodyArguments(args);
    const bytes = chunk === undefined ? undefined : bytesOf(chunk, encoding);
    if (this.#mode === 'open' && !this.res.headersSent) {
      this.#whole = bytes ?? NOTHING;
      // As the response would do itself, had it been left to it to write the head.
      (this.res as LengthAware)._contentLength = this.#whole.byteLength;
      this.res.writeHead(this.res.statusCode);
      this.#whole = undefined;
    }
    this.#isEnded = true;
    if (this.#passes()) {
      this.#end.apply(this.res, [...args]);
      this.#finish();
    } else if (this.#mode === 'record') {
      if (bytes !== undefined) this.#keep(bytes, chunk);
      try {
        this.#end.apply(this.res, [...args]);
      } catch (error) {
        this.#drop();
        this.#observer.onAbort();
        throw error;
      }
      this.#finish();
    } else {
      if (bytes !== undefined) this.#take(bytes, chunk, undefined);
      if (this.#held !== undefined) this.#held.end = callback;
      else if (callback !== undefined) process.nextTick(callback);
      this.#finish();
    }
    return this.res;
  }

  #onFlushHeaders(): void {
    if (this.#mode === 'open') {
      this.#isFlushed = true;
      this.res.writeHead(this.res.statusCode);
    }
    if (this.#mode !== 'hold' && this.#mode !== 'swallow') this.#flushHeaders.call(this.res);
  }

  #onClose(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#drop();
    this.#observer.onAbort();
  }

  /** Keeps a copy of what goes out. */
  #keep(bytes: Uint8Array, chunk: unknown): void {
    if (!this.#isKept) return;
    const size = this.#bytes + bytes.byteLength;
    if (size > this.#limits.maxResponseSize || !this.#share.take(bytes.byteLength)) {
      this.#drop();
      if (this.#mode === 'record') this.#mode = 'pass';
      this.#observer.onOverflow();
      return;
    }
    this.#bytes = size;
    this.#chunks.push(ownBytes(bytes, chunk));
  }

  /** Takes a chunk that does not go out now. */
  #take(bytes: Uint8Array, chunk: unknown, callback: Callback | undefined): boolean {
    const held = this.#held;
    if (held === undefined) {
      this.#keep(bytes, chunk);
      if (callback !== undefined) process.nextTick(callback);
      return true;
    }
    const own = ownBytes(bytes, chunk);
    held.chunks.push({ chunk: own, callback: undefined });
    this.#keep(own, undefined);
    if (callback !== undefined) process.nextTick(callback);
    // One that is held although it is not kept would be held without a limit.
    if (!this.#isKept) this.release();
    return this.#mode === 'hold' ? true : !this.res.writableNeedDrain;
  }

  /** By now: a decision may have been made since it was last looked at. */
  #passes(): boolean {
    return this.#mode === 'pass' || this.#mode === 'open';
  }

  #finish(): void {
    const body = this.#isKept ? Buffer.concat(this.#chunks, this.#bytes) : undefined;
    try {
      this.#observer.onEnd(body);
    } catch (error) {
      this.#observer.onFault(error);
      if (this.#held !== undefined) this.release();
    }
    this.#chunks = [];
    this.#share.release();
  }

  #sendHead({ status, reason, fields }: HeadArguments, further: readonly string[]): void {
    const { res } = this;
    if (fields !== undefined) setFields(res, fields);
    for (let index = 0; index < further.length; index += 2) {
      const name = further[index]!;
      // A list to which each cache on the way adds its own (RFC 9211 section 2).
      if (name === 'Cache-Status') res.appendHeader(name, further[index + 1]!);
      else res.setHeader(name, further[index + 1]!);
    }
    if (reason === undefined) this.#writeHead.call(res, status);
    else this.#writeHead.call(res, status, reason);
  }

  #unhold(): void {
    if (this.#held === undefined) return;
    this.#held = undefined;
    delete (this.res as { headersSent?: unknown }).headersSent;
  }

  #drop(): void {
    this.#isKept = false;
    this.#chunks = [];
    this.#share.release();
  }
}

const NOTHING = new Uint8Array();

function bodyArguments(args: readonly unknown[]): {
  chunk: unknown;
  encoding: BufferEncoding | undefined;
  callback: Callback | undefined;
} {
  const [chunk, encoding, callback] = args;
  if (typeof chunk === 'function') {
    return { chunk: undefined, encoding: undefined, callback: chunk as Callback };
  }
  const given = chunk === null ? undefined : chunk;
  if (typeof encoding === 'function') {
    return { chunk: given, encoding: undefined, callback: encoding as Callback };
  }
  return {
    chunk: given,
    encoding: typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined,
    callback: typeof callback === 'function' ? (callback as Callback) : undefined,
  };
}

function bytesOf(chunk: unknown, encoding: BufferEncoding | undefined): Uint8Array | undefined {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  return chunk instanceof Uint8Array ? chunk : undefined;
}

/** Whoever wrote a buffer may use it again. */
function ownBytes(bytes: Uint8Array, chunk: unknown): Buffer {
  if (typeof chunk === 'string' || chunk === undefined) return bytes as Buffer;
  return Buffer.from(bytes);
}
