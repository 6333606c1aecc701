import type { ConditionalAnswer } from '../http/cache-decision.js';
import { notModifiedFields } from '../http/conditional-answer.js';
import { fieldIn, fieldsWithout, setFields } from './response-head.js';
import type { RawResponse } from './raw-response.js';
import type { HttpRecord } from './stored-record.js';

/** A record in the forms that it is sent in. */
interface Prepared {
  /** Flat, with the length of the whole body. */
  readonly full: readonly string[];
  readonly body: Buffer;
  notModified: readonly string[] | undefined;
}

const prepared = new WeakMap<HttpRecord, Prepared>();

/**
 * Sends what a client gets of a stored response.
 *
 * @param further - fields beside the stored ones, flat
 */
export function sendRecord(
  raw: RawResponse,
  method: string | undefined,
  record: HttpRecord,
  answer: ConditionalAnswer,
  further: readonly string[],
): void {
  const forms = preparedOf(record);
  switch (answer.kind) {
    case 'full':
      sendHead(raw, record.status, forms.full, further);
      if (method === 'HEAD') raw.end();
      else raw.end(forms.body);
      return;
    case 'not-modified':
      forms.notModified ??= notModifiedFields(record.headers);
      sendHead(raw, 304, forms.notModified, further);
      raw.end();
      return;
    case 'partial': {
      const part = forms.body.subarray(answer.start, answer.end);
      const fields = [
        ...fieldsWithout(record.headers, isAboutLength),
        'Content-Range',
        answer.contentRange,
        'Content-Length',
        String(part.byteLength),
      ];
      sendHead(raw, 206, fields, further);
      raw.end(part);
      return;
    }
    case 'unsatisfiable': {
      const fields = [
        ...notModifiedFields(record.headers),
        'Content-Range',
        answer.contentRange,
        'Content-Length',
        '0',
      ];
      sendHead(raw, 416, fields, further);
      raw.end();
    }
  }
}

/** Sends a head of nothing but fields of ours. */
export function sendEmpty(raw: RawResponse, status: number, further: readonly string[]): void {
  sendHead(raw, status, ['Content-Length', '0'], further);
  raw.end();
}

function preparedOf(record: HttpRecord): Prepared {
  const known = prepared.get(record);
  if (known !== undefined) return known;
  const { headers, body } = record;
  const hasLength = fieldIn(headers, 'content-length') !== undefined;
  const forms = {
    full:
      hasLength || record.status === 204
        ? headers
        : [...headers, 'Content-Length', String(body.byteLength)],
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    notModified: undefined,
  };
  prepared.set(record, forms);
  return forms;
}

function sendHead(
  raw: RawResponse,
  status: number,
  fields: readonly string[],
  further: readonly string[],
): void {
  if (raw.isPlain) {
    raw.writeHead(status, [...fields, ...further]);
    return;
  }
  setFields(raw.res, fields);
  setFields(raw.res, further);
  raw.res.statusCode = status;
  raw.writeHead(status);
}

function isAboutLength(lower: string): boolean {
  return lower === 'content-length' || lower === 'content-range';
}
