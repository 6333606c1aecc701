import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { ValuePrinter } from './value-printer.js';

/** The longest text of a value that is sent to a browser, in characters. */
export const MAX_PREVIEW_LENGTH = 65_536;
/** How many bytes of what is no text are shown. */
const MAX_HEX_BYTES = 1_024;
/** Fields of a stored response that may hold somebody's credentials. */
const HIDDEN_FIELDS = ['set-cookie', 'set-cookie2', 'authorization', 'proxy-authorization'];

/** A value as a text to look at. */
export interface ValuePreview {
  /** What the text is: a text itself, a stored HTTP response, bytes as hexadecimal, or a printed value. */
  readonly type: 'text' | 'http' | 'bytes' | 'value';
  readonly text: string;
  /** Whether something was left out. */
  readonly truncated: boolean;
}

interface ResponseRecord {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** A value as a text to look at, of bounded length; see {@link ValuePrinter} for what it does not do. */
export function previewValue(value: unknown): ValuePreview {
  if (typeof value === 'string') return cut('text', value);
  if (value instanceof Uint8Array) return previewBytes(value);
  if (isResponseRecord(value)) return previewResponse(value);
  const printer = new ValuePrinter(MAX_PREVIEW_LENGTH);
  const text = printer.print(value);
  return { type: 'value', text, truncated: printer.isFull };
}

function previewBytes(bytes: Uint8Array): ValuePreview {
  const head = bytes.subarray(0, MAX_PREVIEW_LENGTH);
  // Where it is cut, a character may be, too.
  const text = new TextDecoder('utf-8').decode(head);
  const isText = !/(?![\t\n\r])\p{Cc}/u.test(text) && !text.slice(0, -1).includes('\ufffd');
  if (isText) return { type: 'text', text, truncated: bytes.length > head.length };
  const shown = Buffer.from(bytes.subarray(0, MAX_HEX_BYTES)).toString('hex');
  return {
    type: 'bytes',
    text: shown.replace(/(.{2})(?=.)/g, '$1 ').replace(/(.{47}) /g, '$1\n'),
    truncated: bytes.length > MAX_HEX_BYTES,
  };
}

/** A response of the HTTP bridge, as it would go over the wire. */
function previewResponse({ status, headers, body }: ResponseRecord): ValuePreview {
  let head = `HTTP ${status}\n`;
  let encoding = '';
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index]!.toLowerCase();
    if (name === 'content-encoding') encoding = headers[index + 1]!.trim().toLowerCase();
    head += `${headers[index]}: ${HIDDEN_FIELDS.includes(name) ? '(hidden)' : headers[index + 1]}\n`;
  }
  const content = previewBytes(decoded(body, encoding));
  const preview = cut('http', `${head}\n${content.text}`);
  return { ...preview, truncated: preview.truncated || content.truncated };
}

/** The content of a body in one of the usual encodings; the body itself where it cannot be had cheaply. */
function decoded(body: Uint8Array, encoding: string): Uint8Array {
  const limit = { maxOutputLength: 4 * MAX_PREVIEW_LENGTH };
  try {
    if (encoding === 'gzip' || encoding === 'x-gzip') return gunzipSync(body, limit);
    if (encoding === 'br') return brotliDecompressSync(body, limit);
    if (encoding === 'deflate') return inflateSync(body, limit);
  } catch {
    // Too long, or not what it says: then it is shown as it is.
  }
  return body;
}

function cut(type: ValuePreview['type'], text: string): ValuePreview {
  const truncated = text.length > MAX_PREVIEW_LENGTH;
  return { type, text: truncated ? text.slice(0, MAX_PREVIEW_LENGTH) : text, truncated };
}

function isResponseRecord(value: unknown): value is ResponseRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { status, headers, body } = value as Partial<ResponseRecord>;
  return (
    typeof status === 'number' &&
    Array.isArray(headers) &&
    headers.every((each) => typeof each === 'string') &&
    body instanceof Uint8Array
  );
}
