import { hash } from 'node:crypto';

/** A strong tag: the same bytes have the same one in every process. */
export function entityTag(body: Uint8Array): string {
  return `"${hash('sha1', body, 'base64url')}"`;
}
