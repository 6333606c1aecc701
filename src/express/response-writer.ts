import type { ServerResponse } from 'node:http';
import type { ConditionalAnswer } from '../http/cache-decision.js';
import { notModifiedFields } from '../http/conditional-answer.js';
import { fieldIn, fieldsWithout } from './response-head.js';
import type { RawResponse } from './response-recorder.js';
import type { HttpRecord } from './stored-record.js';

/** A record in the forms that it is sent in. */
interface Prepared {
  /** Flat, with the length of the whole body. */
  readonly full: readonly string[];
  readonly body: Buffer;
  notModified: readonly string[] | undefined;
}

const prepared = new WeakMap<HttpRecord, Prepared>();

/** A response that nothing stands before. */
export class DirectResponse implements RawResponse {
  readonly res: ServerResponse;
  /** Own methods are a middleware's, and not all of these know flat lists. */
  readonly isPlain: boolean;

  constructor(res: ServerResponse) {
    this.res = res;
    this.isPlain = !Object.hasOwn(res, 'writeHead');
  }

  writeHead(status: number, fields?: readonly string[]): void {
    if (fields === undefined) this.res.writeHead(status);
    else this.res.writeHead(status, fields as string[]);
  }

  end(body?: Uint8Array): void {
    this.res.end(body);
  }
}

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
  const { res } = raw;
  const seen = new Set<string>();
  for (const list of [fields, further]) {
    for (let index = 0; index < list.length; index += 2) {
      const lower = list[index]!.toLowerCase();
      if (seen.has(lower)) res.appendHeader(list[index]!, list[index + 1]!);
      else res.setHeader(list[index]!, list[index + 1]!);
      seen.add(lower);
    }
  }
  res.statusCode = status;
  raw.writeHead(status);
}

function isAboutLength(lower: string): boolean {
  return lower === 'content-length' || lower === 'content-range';
}
