import { formatHttpDate } from '#internal/http/http-date.js';
import type {
  ExchangeTimes,
  FieldMap,
  RequestHead,
  ResponseHead,
  StoredHead,
  StoredResponse,
} from '#internal/http/http-message.js';

/** A whole second, so that it survives an HTTP date. */
export const T0: number = Date.UTC(2026, 0, 15, 12, 0, 0);

/** An exchange that took no time. */
export const AT_T0: ExchangeTimes = { requestedAt: T0, respondedAt: T0 };

export function at(ms: number): ExchangeTimes {
  return { requestedAt: ms, respondedAt: ms };
}

export function get(headers: FieldMap = {}): RequestHead {
  return { method: 'GET', headers };
}

export function head(headers: FieldMap = {}): RequestHead {
  return { method: 'HEAD', headers };
}

export function response(headers: FieldMap = {}, status = 200): ResponseHead {
  return { status, headers };
}

/** The HTTP date so many seconds from {@link T0}. */
export function date(seconds: number): string {
  return formatHttpDate(T0 + seconds * 1000);
}

/** A record of a plain response that is fresh for a minute. */
export function storedHead(parts: Partial<StoredHead> = {}): StoredHead {
  return {
    v: 1,
    status: 200,
    headers: [],
    requestedAt: T0,
    respondedAt: T0,
    initialAgeMs: 0,
    freshMs: 60_000,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    vary: [],
    selecting: [],
    flags: 0,
    ...parts,
  };
}

export function stored(parts: Partial<StoredHead> = {}, body = '0123456789'): StoredResponse {
  return { ...storedHead(parts), body: Buffer.from(body) };
}
