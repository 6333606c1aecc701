import { Session } from 'node:inspector/promises';
import { parseAge } from '#internal/http/age.js';
import { parseByteRange } from '#internal/http/byte-range.js';
import { parseCacheControl } from '#internal/http/cache-control.js';
import { responseGroups } from '#internal/http/cache-groups.js';
import { noneMatchHits } from '#internal/http/entity-tag.js';
import { parseHttpDate } from '#internal/http/http-date.js';
import { HttpCachePolicy } from '#internal/http/http-cache-policy.js';
import { selectingValue, varyNames } from '#internal/http/selecting-values.js';
import { parseTargeted } from '#internal/http/targeted-control.js';
import { AT_T0, get, response, stored } from './http-messages.js';

/**
 * Counts the work of the parsers: a program of its own, because counting switches the coverage of the whole process. It prints, for each
 * parser and each shape of text, how many blocks of code ran for a short text and for one eight times as long.
 *
 * What the engine does inside a regular expression is not counted; those of the parsers are a run of one class of characters
 * each, anchored or sticky, without anything to go back to.
 */
const SHORT = 8192;
const FACTOR = 8;

const policy = new HttpCachePolicy({ profile: 'rfc9111' });
const plan = policy.request(get());

const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  'Cache-Control': parseCacheControl,
  'a targeted field': parseTargeted,
  Age: parseAge,
  'a date': (text) => parseHttpDate(text, 0),
  Range: (text) => parseByteRange(text, 10),
  'bytes of Range': (text) => parseByteRange(`bytes=${text}`, 10),
  'If-None-Match': (text) => noneMatchHits(text, '"zz"'),
  Vary: varyNames,
  'Accept-Language': (text) => selectingValue('accept-language', { 'accept-language': text }),
  'a selecting field': (text) => selectingValue('foo', { foo: text }),
  'the groups': (text) =>
    responseGroups({ 'cache-groups': text, 'surrogate-key': text, 'cache-tag': text }),
  'a whole response': (text) =>
    policy.storage(
      plan,
      response({
        'cache-control': 'max-age=60',
        connection: text,
        vary: text,
        etag: text,
        x: text,
      }),
      AT_T0,
    ),
  'a whole request': (text) =>
    policy.request(get({ 'cache-control': text, 'content-length': text, cookie: text })),
  'the conditions of a request': (text) =>
    policy.conditional(
      stored({ headers: ['ETag', '"zz"'] }),
      get({ 'if-none-match': text, range: text, 'if-range': text }),
    ),
  // Shows that the counter would see it.
  'a control that is quadratic': (text) => {
    let found = 0;
    for (let one = 0; one < text.length; one += 64) {
      for (let other = 0; other < text.length; other += 64) if (text[one] === text[other]) found++;
    }
    return found;
  },
};

const SHAPES: readonly string[] = [
  'a',
  '1',
  ' ',
  ',',
  ';',
  '=',
  '"',
  '\\',
  '*',
  '(',
  'é',
  'a,',
  'a ',
  ' ,',
  ', \t',
  'a=1,',
  'max-age=1,',
  'a="b",',
  'a="',
  '"a",',
  '"a',
  '"\\"',
  'W/"a",',
  'a;',
  ';a',
  ';a=1',
  'a=(',
  'a=(1 ',
  '1 ',
  'a =1,',
  'a;q=0.5,',
  'a; q = 1 , ',
  '0-1,',
  ':AA',
  'private,',
  'no-store ',
  '% ',
];

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/** How many blocks ran, counted where they begin. */
async function stepsOf(run: () => unknown): Promise<number> {
  await session.post('Profiler.takePreciseCoverage');
  run();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  return result
    .filter(({ url }) => /\/dist\/http\/|parser-steps/.test(url))
    .flatMap(({ functions }) => functions)
    .flatMap(({ ranges }) => ranges)
    .reduce((sum, { count }) => sum + count, 0);
}

const counts: Record<string, readonly [short: number, long: number]> = {};
for (const [name, parse] of Object.entries(PARSERS)) {
  for (const shape of SHAPES) {
    const text = (length: number) =>
      shape.repeat(Math.ceil(length / shape.length)).slice(0, length);
    const short = await stepsOf(() => parse(text(SHORT)));
    const long = await stepsOf(() => parse(text(SHORT * FACTOR)));
    counts[`${name} of ${JSON.stringify(shape)}`] = [short, long];
  }
}
process.stdout.write(JSON.stringify({ factor: FACTOR, counts }));
