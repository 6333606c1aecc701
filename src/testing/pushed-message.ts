import type { RespFrame } from './resp-splitter.js';

/** A message of Redis' publish and subscribe, as a subscriber gets it. */
export interface PushedMessage {
  /** `smessage` comes from a sharded channel, `pmessage` through a pattern. */
  readonly kind: 'message' | 'smessage' | 'pmessage';
  readonly channel: string;
  readonly payload: string;
}

const KINDS: readonly string[] = ['message', 'smessage', 'pmessage'];

/** How much of a reply is looked at before it counts as something else. */
const HEAD_BYTES = 32;

/**
 * The message that a reply delivers, `undefined` when it is another reply.
 *
 * Under RESP2 a message looks like any other array, so an array `['message', …]` that was stored by somebody and is
 * read on the same connection counts as one too.
 */
export function pushedMessage({ type, bytes }: RespFrame): PushedMessage | undefined {
  if (type !== '*' && type !== '>') return undefined;
  const head = bytes.toString('latin1', 0, HEAD_BYTES);
  if (!/^[*>][34]\r\n\$[78]\r\n[sp]?message\r\n/.test(head)) return undefined;
  const parts = bulkTexts(bytes);
  const kind = parts?.[0];
  if (parts === undefined || kind === undefined || !KINDS.includes(kind)) return undefined;
  if (parts.length !== (kind === 'pmessage' ? 4 : 3)) return undefined;
  const [channel, payload] = parts.slice(-2);
  return { kind: kind as PushedMessage['kind'], channel: channel!, payload: payload! };
}

/** The elements of an array of bulk texts; `undefined` when it holds anything else. */
function bulkTexts(bytes: Buffer): readonly string[] | undefined {
  const texts: string[] = [];
  let at = bytes.indexOf('\n') + 1;
  while (at < bytes.length) {
    if (bytes[at] !== '$'.charCodeAt(0)) return undefined;
    const feed = bytes.indexOf('\n', at);
    const length = Number(bytes.toString('latin1', at + 1, feed - 1));
    if (!(length >= 0)) return undefined;
    texts.push(bytes.toString('utf8', feed + 1, feed + 1 + length));
    at = feed + 1 + length + 2;
  }
  return texts;
}
