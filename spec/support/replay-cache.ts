import { readStored } from '#internal/http/read-stored.js';
import type { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import type {
  FieldMap,
  RequestHead,
  ResponseHead,
  StoredResponse,
} from '#internal/http/http-message.js';

/** What the handler answers when it is asked; `'dies'`: no answer at all. */
export type Reply = ResponseHead | 'dies';

/**
 * How a request was answered: by the handler, from the store, from the store behind a refresh, from the store after the handler's 304, from
 * the store in place of an error, by a 504 without asking, or by nothing.
 */
export type Verdict =
  'run' | 'hit' | 'stale' | 'validated' | 'instead' | 'gateway-timeout' | 'error';

export interface Answer {
  readonly verdict: Verdict;
  readonly stored: StoredResponse | undefined;
  /** What the handler saw; `undefined` where it was not asked. */
  readonly asked: FieldMap | undefined;
}

const BODY = Buffer.from('01234567890');

/**
 * The smallest cache that can stand on the policy: one URL, a list of variants, a handler that answers at once. The handler answers 304
 * by itself where the conditions fit what it would send.
 */
export class ReplayCache {
  readonly #policy: HttpCachePolicy;
  #records: StoredResponse[] = [];

  constructor(policy: HttpCachePolicy) {
    this.#policy = policy;
  }

  get size(): number {
    return this.#records.length;
  }

  ask(request: RequestHead, reply: Reply, now: number): Answer {
    const policy = this.#policy;
    const plan = policy.request(request, { url: 'https://example.com/a' });
    const asked: Record<string, FieldMap[string]> = { ...request.headers };
    let chosen: StoredResponse | undefined;
    let staleIfError = false;
    for (const record of plan.lookup ? this.#records : []) {
      const decision = policy.reuse(record, plan, now);
      if (decision.kind === 'none') continue;
      if (decision.kind !== 'revalidate') {
        const verdict = decision.kind === 'fresh' ? 'hit' : 'stale';
        return { verdict, stored: record, asked: undefined };
      }
      chosen = record;
      staleIfError = decision.staleIfError;
      Object.assign(asked, decision.conditions);
      break;
    }
    if (plan.onlyIfCached)
      return { verdict: 'gateway-timeout', stored: undefined, asked: undefined };
    const answer = reply === 'dies' ? reply : conditionally(reply, asked);
    if (answer === 'dies' || answer.status >= 500) {
      if (staleIfError) return { verdict: 'instead', stored: chosen, asked };
      if (answer === 'dies') return { verdict: 'error', stored: undefined, asked };
    }
    const times = { requestedAt: now, respondedAt: now };
    if (policy.invalidates(request.method, answer.status)) this.#records = [];
    const isUpdate = answer.status === 304 || (request.method === 'HEAD' && answer.status === 200);
    if (chosen !== undefined && isUpdate) {
      this.#records = this.#records.filter((each) => each !== chosen);
      const freshened = policy.freshen(chosen, plan, answer, times);
      if (freshened.kind === 'mismatch') return { verdict: 'run', stored: undefined, asked };
      if (freshened.kind === 'updated') this.#keep(freshened.stored);
      return {
        verdict: answer.status === 304 ? 'validated' : 'run',
        stored: freshened.stored,
        asked,
      };
    }
    const decision = policy.storage(plan, answer, times);
    if (!decision.store) return { verdict: 'run', stored: undefined, asked };
    const record = { ...decision.head, body: answer.status === 204 ? Buffer.alloc(0) : BODY };
    this.#keep(record);
    return { verdict: 'run', stored: record, asked };
  }

  /** Takes the place of the record with the same selecting values. Whatever is kept has to be readable again. */
  #keep(record: StoredResponse): void {
    if (readStored(record) !== record) throw new RangeError('a record that cannot be read back');
    const key = (each: StoredResponse) => JSON.stringify([each.vary, each.selecting]);
    this.#records = this.#records.filter((each) => key(each) !== key(record));
    this.#records.unshift(record);
  }
}

function conditionally(reply: ResponseHead, asked: FieldMap): ResponseHead {
  const { headers } = reply;
  const isSame =
    (asked['if-none-match'] !== undefined && asked['if-none-match'] === headers['etag']) ||
    (asked['if-modified-since'] !== undefined &&
      asked['if-modified-since'] === headers['last-modified']);
  return isSame && reply.status === 200 ? { status: 304, headers } : reply;
}
