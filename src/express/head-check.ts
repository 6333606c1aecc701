import type { RequestPlan } from '../http/cache-decision.js';
import type { HttpCachePolicy } from '../http/http-cache-policy.js';
import { OuterFields } from './outer-fields.js';
import type { CapturedHead } from './response-head.js';
import { ResponseRecorder, type HeadVerdict, type ResponseObserver } from './response-recorder.js';
import type { ExchangeInput } from './route-runner.js';
import type { HttpRecord } from './stored-record.js';
import type { Found } from './variants.js';

/**
 * Has the answer to a HEAD compared with the stored response to a GET that could have been chosen for it, see
 * {@link HeadCheck}. Never throws.
 *
 * @param found - what was found for the request, stale or not wanted as it is
 * @param onFault - told of a failure; the response goes out as it is written
 */
export function checkByHead(
  { req, res, core, options, ticket }: ExchangeInput,
  { key, record }: Found,
  onFault: (error: unknown) => void,
): void {
  if (record?.status !== 200) return;
  try {
    new HeadCheck({
      ...{ req, res, options, record, onFault },
      policy: ticket.policy,
      plan: ticket.plan,
      now: () => core.runtime.clock.now(),
      drop: () => core.delete([key], 'bypass'),
    });
  } catch (error) {
    // The response cannot be watched.
    onFault(error);
  }
}

interface HeadCheckInput extends Pick<ExchangeInput, 'req' | 'res' | 'options'> {
  readonly policy: HttpCachePolicy;
  readonly plan: RequestPlan;
  readonly record: HttpRecord;
  readonly now: () => number;
  /** Makes the stored response void. */
  readonly drop: () => Promise<unknown>;
  readonly onFault: (error: unknown) => void;
}

/**
 * Compares what a handler answers to a HEAD with the stored response to a GET (RFC 9111 section 4.3.5). A 200 with another
 * validator or length, or one that forbids storing, makes the stored response void before it is answered, so that whoever has
 * learned of a new version is not given the old one.
 *
 * One that agrees changes nothing: a HEAD has no content that would prove it, and a validation by the next GET costs as little.
 */
class HeadCheck implements ResponseObserver {
  readonly #input: HeadCheckInput;
  readonly #recorder: ResponseRecorder;
  readonly #requestedAt: number;

  constructor(input: HeadCheckInput) {
    this.#input = input;
    const { res, options } = input;
    this.#requestedAt = input.now();
    const outer = new OuterFields(res);
    this.#recorder = new ResponseRecorder(res, this, options, outer);
  }

  onHead(head: CapturedHead): HeadVerdict {
    const { policy, plan, record, now, drop } = this.#input;
    if (head.status !== 200) return { kind: 'pass' };
    const times = { requestedAt: this.#requestedAt, respondedAt: now() };
    if (policy.freshen(record, plan, head, times).kind === 'updated') return { kind: 'pass' };
    drop()
      .then(() => this.#recorder.release())
      .catch((error: unknown) => this.onFault(error));
    return { kind: 'hold' };
  }

  onEnd(): void {
    // What is held goes out once the store has answered.
  }

  onOverflow(): void {
    this.#recorder.release();
  }

  onAbort(): void {
    // There is nobody left to answer.
  }

  onFault(error: unknown): void {
    this.#input.onFault(error);
  }
}
