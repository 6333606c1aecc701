import type { ServerResponse } from 'node:http';
import type { ConditionalAnswer } from '../http/cache-decision.js';
import { notModifiedFields } from '../http/conditional-answer.js';
import { outcomeFields, type CacheWord } from './cache-outcome.js';
import type { ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';
import {
  fieldIn,
  fieldsWithout,
  groupedFields,
  missingFields,
  setFields,
} from './response-head.js';
import { isPlainResponse, type RawResponse, type ResponseMethods } from './raw-response.js';
import type { HttpRecord } from './stored-record.js';

/** A record in the forms that it is sent in. */
interface Prepared {
  /** Flat, with the length of the whole body. */
  readonly full: readonly string[];
  readonly body: Buffer;
  /** The last hit's whole list of fields: the same for all hits of one second. */
  hit: PreparedHit | undefined;
  unchangedHit: PreparedHit | undefined;
  notModified: readonly string[] | undefined;
}

interface PreparedHit {
  readonly options: ResolvedHttpCacheOptions;
  readonly word: CacheWord;
  readonly age: number;
  readonly ttl: number;
  readonly extra: readonly string[];
  readonly fields: readonly string[];
  /** The same as pairs, each name once. */
  readonly grouped: readonly (readonly [name: string, value: string | readonly string[]])[];
}

interface HitMethods extends ResponseMethods {
  setHeader: (name: string, value: string | readonly string[]) => unknown;
}

const NO_FIELDS: readonly string[] = Object.freeze([]);

const prepared = new WeakMap<HttpRecord, Prepared>();

/** What most requests get of a stored response: all of it, its head, or the news that there is nothing new. */
export type HitForm = 'full' | 'head' | 'not-modified';

/** The form of an answer; `undefined` for the others, which `sendRecord` sends. */
export function hitForm({ kind }: ConditionalAnswer, method: string): HitForm | undefined {
  if (kind === 'not-modified') return kind;
  if (kind !== 'full') return undefined;
  return method === 'GET' ? 'full' : 'head';
}

/**
 * Sends a hit in one of the forms that most requests get.
 *
 * @param extra - fields that go out beside, where the response has none of their names
 */
export function sendHit(
  res: ServerResponse,
  record: HttpRecord,
  form: HitForm,
  options: ResolvedHttpCacheOptions,
  word: CacheWord,
  age: number,
  ttl: number,
  extra: readonly string[] = NO_FIELDS,
): void {
  const forms = preparedOf(record);
  const isUnchanged = form === 'not-modified';
  let hit = isUnchanged ? forms.unchangedHit : forms.hit;
  if (
    hit === undefined ||
    hit.age !== age ||
    hit.ttl !== ttl ||
    hit.word !== word ||
    hit.extra !== extra ||
    hit.options !== options
  ) {
    const stored = isUnchanged ? notModifiedOf(forms, record) : forms.full;
    const outcome = outcomeFields(options, { word, fwd: undefined, ttl });
    const own = [...stored, 'Age', String(age), ...outcome];
    const fields = extra.length === 0 ? own : [...own, ...missingFields(own, extra)];
    hit = { options, word, age, ttl, extra, fields, grouped: groupedFields(fields) };
    if (isUnchanged) forms.unchangedHit = hit;
    else forms.hit = hit;
  }
  const status = isUnchanged ? 304 : record.status;
  const methods = res as unknown as HitMethods;
  const { setHeader, writeHead } = methods;
  if (isPlainResponse(res, methods)) writeHead.call(res, status, hit.fields);
  else {
    for (const [name, value] of hit.grouped) setHeader.call(res, name, value);
    res.statusCode = status;
    writeHead.call(res, status);
  }
  if (form === 'full') res.end(forms.body);
  else res.end();
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
      sendHead(raw, 304, notModifiedOf(forms, record), further);
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
  const forms: Prepared = {
    full:
      hasLength || record.status === 204
        ? headers
        : [...headers, 'Content-Length', String(body.byteLength)],
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    hit: undefined,
    unchangedHit: undefined,
    notModified: undefined,
  };
  prepared.set(record, forms);
  return forms;
}

function notModifiedOf(forms: Prepared, { headers }: HttpRecord): readonly string[] {
  return (forms.notModified ??= notModifiedFields(headers));
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
