import type { CacheSpace, TagSelection } from '../../cache/backend.js';

/*
 * What processes tell each other: JSON arrays of
 *
 *   [version, sender, epoch, number, kind, ...what it is about]
 *
 * A sender's id is random for each start, so a process that starts again is another sender. Every message takes the
 * next number of its sender's epoch, heartbeats too. A message that could not be sent takes its number all the same,
 * so that the next one shows that something is missing.
 */

/** The version of the messages that this release writes and reads. */
export const PROTOCOL_VERSION = 1;

/** How many keys one message names at the most. */
export const MAX_MESSAGE_KEYS = 1_000;

/** Something that other processes' own tiers must drop. */
export type Invalidation =
  | { readonly kind: 'keys'; readonly space: string; readonly keys: readonly string[] }
  /** The entry alone: what is being loaded of its key is no less true for it. */
  | { readonly kind: 'entry'; readonly space: string; readonly key: string }
  | { readonly kind: 'pattern'; readonly space: string; readonly glob: string }
  | { readonly kind: 'clear'; readonly space: string }
  | { readonly kind: 'clearAll' }
  | { readonly kind: 'tags'; readonly selection: TagSelection };

/** What a message says. A beat tells when the next one is due; a bye, that none will follow. */
export type MessageBody =
  Invalidation | { readonly kind: 'beat'; readonly intervalMs: number } | { readonly kind: 'bye' };

/** A message with its place in its sender's stream. */
export interface CoherenceMessage {
  readonly sender: string;
  /** From 1. A sender begins a new one to make all others distrust what they hold. */
  readonly epoch: number;
  /** From 0 in each epoch. */
  readonly number: number;
  readonly body: MessageBody;
}

/** How a cache is named in messages. */
export function spaceId({ name, version }: CacheSpace): string {
  return JSON.stringify([name, version]);
}

/** The text of a message. */
export function encodeMessage({ sender, epoch, number, body }: CoherenceMessage): string {
  return JSON.stringify([PROTOCOL_VERSION, sender, epoch, number, ...encodeBody(body)]);
}

/** The message of a text; `undefined` when it is none that this release understands, a newer one's included. */
export function decodeMessage(text: string): CoherenceMessage | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    // Not ours, or damaged: to the receiver it is all the same.
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [version, sender, epoch, number, ...rest] = parts as readonly unknown[];
  if (version !== PROTOCOL_VERSION || !isText(sender)) return undefined;
  if (!isCount(epoch) || epoch === 0 || !isCount(number)) return undefined;
  const body = decodeBody(rest);
  return body === undefined ? undefined : { sender, epoch, number, body };
}

function encodeBody(body: MessageBody): readonly unknown[] {
  switch (body.kind) {
    case 'keys':
      return ['k', body.space, body.keys];
    case 'entry':
      return ['e', body.space, body.key];
    case 'pattern':
      return ['p', body.space, body.glob];
    case 'clear':
      return ['c', body.space];
    case 'clearAll':
      return ['a'];
    case 'tags': {
      const { selection } = body;
      return 'anyOf' in selection ? ['t', selection.anyOf] : ['T', selection.allOf];
    }
    case 'beat':
      return ['h', body.intervalMs];
    case 'bye':
      return ['b'];
  }
}

function decodeBody([code, first, second]: readonly unknown[]): MessageBody | undefined {
  switch (code) {
    case 'k':
      return isText(first) && isTexts(second)
        ? { kind: 'keys', space: first, keys: second }
        : undefined;
    case 'e':
      return isText(first) && isText(second)
        ? { kind: 'entry', space: first, key: second }
        : undefined;
    case 'p':
      return isText(first) && isText(second)
        ? { kind: 'pattern', space: first, glob: second }
        : undefined;
    case 'c':
      return isText(first) ? { kind: 'clear', space: first } : undefined;
    case 'a':
      return { kind: 'clearAll' };
    case 't':
      return isTexts(first) ? { kind: 'tags', selection: { anyOf: first } } : undefined;
    case 'T':
      return isTexts(first) ? { kind: 'tags', selection: { allOf: first } } : undefined;
    case 'h':
      return typeof first === 'number' && first > 0
        ? { kind: 'beat', intervalMs: first }
        : undefined;
    case 'b':
      return { kind: 'bye' };
    default:
      return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
