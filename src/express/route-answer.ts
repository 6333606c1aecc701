import type { NotStoredReason } from '../http/cache-decision.js';
import type { HttpRecord } from './stored-record.js';

/**
 * Why a response is not stored, beside the reasons of the policy.
 *
 * - `too-large`: beyond `maxResponseSize`, or there was no room to collect it
 * - `stream`: an event stream, or a head sent ahead of its body
 * - `trailers`: fields behind the body
 * - `truncated`: the body is not as long as its `Content-Length` says
 * - `aborted`: the connection was closed before the handler had ended the response
 * - `handed-over`: a cache on the route itself has taken over
 * - `fault`: the cache failed while it decided
 */
export type UnstoredReason =
  | NotStoredReason
  | 'too-large'
  | 'stream'
  | 'trailers'
  | 'truncated'
  | 'aborted'
  | 'handed-over'
  | 'fault';

/** What a run of a route came to. */
export type RouteAnswer =
  | {
      readonly kind: 'stored';
      readonly record: HttpRecord;
      /** From `record.respondedAt` on, in milliseconds. */
      readonly freshForMs: number;
      /** From `record.respondedAt` on, in milliseconds. */
      readonly keepMs: number;
      /** Tags that the response names. */
      readonly groups: readonly string[];
    }
  | {
      readonly kind: 'unstored';
      readonly reason: UnstoredReason;
      /** Whether what was stored before has to go. */
      readonly isVoid?: boolean | undefined;
    };

/** A handler that failed though there is an older response. */
export class RouteFailure extends Error {
  override readonly name = 'RouteFailure';

  /** @param status - what it answered; `undefined` = it broke off */
  constructor(status: number | undefined) {
    super(
      status === undefined
        ? 'the handler broke its response off'
        : `the handler answered ${status}`,
    );
  }
}

/** Whether a run of the route came to this. */
export function isRouteAnswer(value: unknown): value is RouteAnswer {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** Whether a run has shown that the response is for its client alone, so that all others run their own handlers. */
export function isRefusal(value: unknown): boolean {
  return isRouteAnswer(value) && value.kind === 'unstored' && !saysNothing(value);
}

/** Whether a run ended without a response that says anything about the next one. */
export function saysNothing({ reason }: RouteAnswer & { readonly kind: 'unstored' }): boolean {
  return reason === 'aborted' || reason === 'fault';
}
