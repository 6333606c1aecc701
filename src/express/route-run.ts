import { isPending } from '../cache/maybe-promise.js';
import type { FreshenDecision, StorageDecision } from '../http/cache-decision.js';
import { StoredFlag, type ExchangeTimes, type StoredHead } from '../http/http-message.js';
import { ageField, outcomeFields, type Outcome } from './cache-outcome.js';
import { entityTag } from './body-tag.js';
import { HiddenFields } from './hidden-fields.js';
import { OuterFields } from './outer-fields.js';
import type { RouteRunInput } from './route-run-input.js';
import { RouteFailure, type RouteAnswer, type UnstoredReason } from './route-answer.js';
import { fieldIn, type CapturedHead } from './response-head.js';
import { ResponseRecorder, type HeadVerdict, type ResponseObserver } from './response-recorder.js';
import { isEventStream, replayedFields, replayedHead } from './replayed-head.js';
import { sendRecord } from './response-writer.js';
import { NO_BODY, NO_RECORD, storedRecord, type HttpRecord } from './stored-record.js';
import { newVariantsId } from './variants.js';

type Storing = StorageDecision & { readonly store: true };
type Refusing = { readonly store: false; readonly reason: UnstoredReason };

/**
 * One run of a route, from before its handler starts until its response has ended: decides by the response's head what goes
 * out to the client, and gives the record to store.
 */
export class RouteRun implements ResponseObserver {
  /**
   * Resolves as soon as it is known: at the end of a response that is stored, at the head of one that is not. Rejects with
   * {@link RouteFailure} when the handler has failed and there is an older response.
   */
  readonly answer: Promise<RouteAnswer>;
  readonly #input: RouteRunInput;
  readonly #recorder: ResponseRecorder;
  readonly #hidden: HiddenFields;
  readonly #requestedAt: number;
  #settle!: (answer: RouteAnswer) => void;
  #fail!: (error: Error) => void;
  #decision: Storing | undefined;
  /** What the record gets that the route left out, beside a date. */
  #added: readonly string[] = [];
  /** What goes out beside what the route wrote. */
  #sent: readonly string[] = [];
  #outcome: readonly string[] = [];
  /** Whether the client is answered only once the whole body is there. */
  #isHeld = false;
  #isHandedOver = false;

  constructor(input: RouteRunInput) {
    this.#input = input;
    const { req, res, options, plan, conditions, isForeground } = input;
    this.answer = new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
    this.#requestedAt = input.now();
    const hidesRange = plan.hideRange && (options.hasTtl || !isForeground);
    this.#hidden = new HiddenFields(req, hidesRange, conditions);
    this.#recorder = new ResponseRecorder(res, this, options, new OuterFields(res));
  }

  /** A cache on the route itself takes over: this one neither stores nor decides any more. */
  handOver(): void {
    this.#isHandedOver = true;
    this.#hidden.restore();
    this.#unstored('handed-over');
  }

  onHead(head: CapturedHead, whole: Uint8Array | undefined): HeadVerdict {
    if (this.#isHandedOver) return { kind: 'pass' };
    const { present, plan, policy, conditions, isForeground } = this.#input;
    const times = { requestedAt: this.#requestedAt, respondedAt: this.#input.now() };
    if (head.status === 304 && present !== undefined && Object.keys(conditions).length > 0) {
      return this.#validated(present, policy.freshen(present, plan, head, times), times);
    }
    if (head.status >= 500) {
      const verdict = this.#failed(head.status);
      if (verdict !== undefined) return verdict;
    }
    const decision = this.#decide(head, times);
    if (!decision.store) return this.#passed(head, decision.reason);
    this.#decision = decision;
    this.#complete(decision, head, whole);
    if (!isForeground) return { kind: 'record' };
    this.#outcome = this.#outcomeOf({ word: 'MISS', stored: true });
    this.#sent = [...this.#sent, ...this.#outcome];
    if (this.#hidden.isAsked && head.status === 200) return this.#asked(decision);
    return { kind: 'record', fields: this.#sent };
  }

  onEnd(body: Buffer | undefined): void {
    this.#hidden.restore();
    const decision = this.#decision;
    if (this.#isHandedOver || decision === undefined || body === undefined) return;
    const { freshForMs, keepMs, groups, head } = decision;
    const length = fieldIn(head.headers, 'content-length');
    const isTruncated = length !== undefined && length !== String(body.byteLength);
    if (isTruncated || this.#recorder.hasTrailers) {
      this.#unstored(isTruncated ? 'truncated' : 'trailers');
      if (this.#isHeld) this.#recorder.release(this.#sent);
      return;
    }
    const record = this.#record(head, body);
    this.#settle({ kind: 'stored', record, freshForMs, keepMs, groups });
    if (this.#isHeld) this.#send(record, this.#outcome);
  }

  onOverflow(): void {
    this.#unstored('too-large');
    if (this.#isHeld) this.#recorder.release(this.#sent);
  }

  onAbort(): void {
    this.#hidden.restore();
    if (!this.#input.isForeground) this.#fail(new RouteFailure(undefined));
    this.#unstored('aborted');
  }

  onFault(error: unknown): void {
    this.#hidden.restore();
    this.#input.onFault(error);
    this.#unstored('fault');
  }

  #decide(head: CapturedHead, times: ExchangeTimes): StorageDecision | Refusing {
    const { plan, policy, options } = this.#input;
    if (this.#recorder.isFlushed || isEventStream(head)) return { store: false, reason: 'stream' };
    if (head.headers['trailer'] !== undefined) return { store: false, reason: 'trailers' };
    const length = Number(head.headers['content-length'] ?? 0);
    if (length > options.maxResponseSize) return { store: false, reason: 'too-large' };
    return policy.storage(plan, replayedHead(head, options), times);
  }

  /** Finds what the record gets that the route left out. The client gets the same. */
  #complete({ head }: Storing, { status, headers }: CapturedHead, whole?: Uint8Array): void {
    const { options, res } = this.#input;
    const added: string[] = [];
    const isSilent = (head.flags & StoredFlag.routeTtl) !== 0;
    if (options.sendCacheControl && isSilent && headers['cache-control'] === undefined) {
      const scope = options.keyedBy === undefined ? '' : 'private, ';
      added.push('Cache-Control', `${scope}max-age=${Math.floor(head.freshMs / 1000)}`);
    }
    if (whole !== undefined && status === 200 && headers['etag'] === undefined) {
      added.push('ETag', entityTag(whole));
    }
    this.#added = added;
    const date = fieldIn(head.headers, 'date');
    const isDated = headers['date'] !== undefined || date === undefined || !res.sendDate;
    this.#sent = isDated ? added : ['Date', date, ...added];
  }

  #record(head: StoredHead, body: Buffer): HttpRecord {
    let headers = this.#added.length === 0 ? head.headers : [...head.headers, ...this.#added];
    let hasTag = fieldIn(headers, 'etag') !== undefined;
    if (!hasTag && head.status === 200) {
      headers = [...headers, 'ETag', entityTag(body)];
      hasTag = true;
    }
    const flags = hasTag ? head.flags | StoredFlag.hasValidator : head.flags;
    const record = storedRecord(head, headers, body, flags);
    return this.#withVariants(this.#input.isFront ? { ...record, front: true } : record);
  }

  /** A first response keeps the id of the one that it replaces, so that their variants stay. */
  #withVariants(record: HttpRecord): HttpRecord {
    const { variants, present } = this.#input;
    if (variants !== undefined) return { ...record, variants };
    if (record.vary.length === 0) return record;
    const isSame = present?.variants !== undefined && present.vary.join() === record.vary.join();
    return { ...record, variants: isSame ? present.variants : newVariantsId() };
  }

  /** The handler says that what is stored still holds, or at least did until now. */
  #validated(
    present: HttpRecord,
    decision: FreshenDecision,
    { respondedAt }: ExchangeTimes,
  ): HeadVerdict {
    const { policy, isForeground } = this.#input;
    const isUpdated = decision.kind === 'updated';
    const isFront = present.front === true && this.#input.isFront;
    const record =
      decision.kind === 'mismatch'
        ? present
        : this.#withVariants(isFront ? { ...decision.stored, front: true } : decision.stored);
    if (isUpdated) {
      const { freshForMs, keepMs, groups } = decision;
      // The client itself gets all that the handler has said to it.
      const headers = replayedFields(record.headers, this.#input.options);
      const kept = headers === record.headers ? record : { ...record, headers };
      this.#settle({ kind: 'stored', record: kept, freshForMs, keepMs, groups });
    } else {
      // It may be used for this client, and for nobody else (RFC 9111 section 4.3.3).
      const reason = decision.kind === 'last-use' ? decision.reason : 'expired';
      this.#settle({ kind: 'unstored', reason, isVoid: true });
    }
    if (isForeground) {
      const ttl = isUpdated ? policy.ttlSeconds(record, respondedAt) : undefined;
      const outcome = this.#outcomeOf({
        word: 'MISS',
        fwd: 'stale',
        fwdStatus: 304,
        stored: isUpdated,
        ttl,
      });
      this.#send(record, [...ageField(policy, record, respondedAt), ...outcome]);
    }
    return { kind: 'swallow', isKept: false };
  }

  /** The handler has failed. `undefined` = its response goes out. */
  #failed(status: number): HeadVerdict | undefined {
    const { fallback, isForeground } = this.#input;
    if (isForeground && fallback === undefined) return undefined;
    this.#fail(new RouteFailure(status));
    if (!isForeground) return { kind: 'pass' };
    const found = fallback!();
    if (isPending(found)) {
      found
        .then((record) => {
          if (record !== undefined) this.#sendStale(record, status);
          else this.#recorder.release(this.#outcomeOf({ word: 'SKIP', reason: 'status' }));
        })
        .catch((error: unknown) => {
          this.onFault(error);
          this.#input.res.destroy();
        });
      return { kind: 'hold' };
    }
    if (found === undefined) return undefined;
    this.#sendStale(found, status);
    return { kind: 'swallow', isKept: false };
  }

  #sendStale(record: HttpRecord, fwdStatus: number): void {
    const { policy, now } = this.#input;
    const at = now();
    const ttl = policy.ttlSeconds(record, at);
    const outcome = this.#outcomeOf({ word: 'STALE', fwd: 'stale', fwdStatus, ttl });
    this.#send(record, [...ageField(policy, record, at), ...outcome]);
  }

  /** The response is not stored. */
  #passed(head: CapturedHead, reason: UnstoredReason): HeadVerdict {
    const { isForeground, now } = this.#input;
    this.#unstored(reason);
    if (!isForeground) return { kind: 'pass' };
    const fields = this.#outcomeOf({ word: 'SKIP', reason });
    if (this.#hidden.isAsked && head.status === 200) {
      // What the handler would have found out itself, had it seen the client's conditionals.
      const record = { ...NO_RECORD, headers: head.rawHeaders, respondedAt: now() };
      if (this.#isUnmodified(record)) {
        this.#send(record, fields);
        return { kind: 'swallow', isKept: false };
      }
    }
    return { kind: 'pass', fields };
  }

  /** The client has this version already, or wants a part of it. */
  #asked({ head }: Storing): HeadVerdict {
    const headers = [...head.headers, ...this.#added];
    const record = { ...head, headers, body: NO_BODY };
    const hasTag = fieldIn(headers, 'etag') !== undefined;
    if (hasTag && this.#isUnmodified(record)) {
      this.#send(record, this.#outcome);
      return { kind: 'swallow', isKept: true };
    }
    // Without a tag, and for a part, it takes the whole body to know.
    if (hasTag && !this.#hidden.isPart) return { kind: 'record', fields: this.#sent };
    this.#isHeld = true;
    return { kind: 'hold' };
  }

  #isUnmodified(record: HttpRecord): boolean {
    const { policy, plan } = this.#input;
    const headers = { ...this.#hidden.original, range: undefined };
    return policy.conditional(record, { method: plan.method, headers }).kind === 'not-modified';
  }

  /** Sends what the client gets of a record in place of what the route writes. */
  #send(record: HttpRecord, further: readonly string[]): void {
    const { plan, policy } = this.#input;
    const request = { method: plan.method, headers: this.#hidden.original };
    const answer = policy.conditional(record, request);
    this.#recorder.replace((raw) => sendRecord(raw, plan.method, record, answer, further));
  }

  #outcomeOf(outcome: Omit<Outcome, 'fwd'> & Partial<Pick<Outcome, 'fwd'>>): readonly string[] {
    return outcomeFields(this.#input.options, { fwd: this.#input.fwd, ...outcome });
  }

  #unstored(reason: UnstoredReason): void {
    this.#recorder.stop();
    this.#settle({ kind: 'unstored', reason });
  }
}
