/** Why a request went to the handler (RFC 9211 section 2.2). */
export type ForwardReason =
  'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial';

/** What a cache did with one request, as RFC 9211 tells it. */
export type CacheOutcome = {
  /** Name of the cache. */
  readonly cache: string;
  /** Seconds that the response stays fresh; negative once it is stale. */
  readonly ttl?: number | undefined;
  /** The key. Off unless asked for: it tells strangers how responses are told apart. */
  readonly key?: string | undefined;
  /** Whatever else is worth knowing: a token where it is one, else a string. */
  readonly detail?: string | undefined;
} & (
  | { readonly hit: true }
  | {
      readonly hit: false;
      readonly fwd: ForwardReason;
      /** Status of the handler's answer where it is not the status sent, such as 304. */
      readonly fwdStatus?: number | undefined;
      readonly stored?: boolean | undefined;
      /** Another request's run of the handler answered this one. */
      readonly collapsed?: boolean | undefined;
    }
);

/** One member of a `Cache-Status` field. Never throws: what a string cannot hold is replaced by `?`. */
export function formatCacheStatus(outcome: CacheOutcome): string {
  let text = tokenOrString(outcome.cache);
  if (outcome.hit) text += '; hit';
  else {
    text += `; fwd=${outcome.fwd}`;
    if (outcome.fwdStatus !== undefined) text += `; fwd-status=${outcome.fwdStatus}`;
  }
  if (outcome.ttl !== undefined) text += `; ttl=${outcome.ttl}`;
  if (!outcome.hit) {
    if (outcome.stored === true) text += '; stored';
    if (outcome.collapsed === true) text += '; collapsed';
  }
  if (outcome.key !== undefined) text += `; key=${quoted(outcome.key)}`;
  if (outcome.detail !== undefined) text += `; detail=${tokenOrString(outcome.detail)}`;
  return text;
}

const TOKEN = /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/;

function tokenOrString(text: string): string {
  return TOKEN.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  return `"${text.replace(/[^ -~]/g, '?').replace(/["\\]/g, '\\$&')}"`;
}
