import { readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../support/usage.js';
import type { Sample } from './samples.js';

/** Longer texts do not fit into one string of every Node. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** Unless told how many records to take, take at most this many, of at most about this many bytes together. */
const DEFAULT_RECORDS = 1000;
const DEFAULT_TOTAL_BYTES = 4 * 1024 * 1024;

/**
 * Reads the user's own values: the elements of a JSON array, one JSON value of another kind, or NDJSON (a value a line).
 *
 * @param maxRecords - of more records, so many are taken, evenly spread
 * @throws {@link UsageError} saying what is wrong with the file
 */
export function readDataFile(path: string, maxRecords: number | undefined): Sample {
  const text = readText(path);
  const records = parseRecords(path, text);
  const limit = maxRecords ?? defaultRecords(text.length / records.length);
  const step = Math.max(1, records.length / limit);
  const values = Array.from(
    { length: Math.min(records.length, limit) },
    (_, index) => records[Math.floor(index * step)],
  );
  const inexact = countInexactNumbers(text);
  const name = printable(basename(path));
  return {
    name: name.length > 40 ? `${name.slice(0, 39)}…` : name,
    description:
      values.length === records.length
        ? `${records.length} ${records.length === 1 ? 'record' : 'records'}`
        : `${values.length} of ${records.length} records, evenly spread (--records)`,
    values,
    warnings:
      inexact.count === 0
        ? []
        : [
            `JSON.parse changed whole numbers of the file that have more digits than a number keeps: ${inexact.count} ` +
              `of them, and the first ${inexact.first}. What is measured is what came out. Such numbers need to be ` +
              'texts, or a BigInt, before they reach a cache.',
          ],
  };
}

function defaultRecords(meanBytes: number): number {
  return Math.min(DEFAULT_RECORDS, Math.max(1, Math.floor(DEFAULT_TOTAL_BYTES / meanBytes)));
}

function readText(path: string): string {
  const file = locate(path);
  let bytes: Buffer;
  try {
    const status = statSync(file);
    if (status.isDirectory()) throw new UsageError(`--data: ${path} is a directory, not a file`);
    if (status.size > MAX_FILE_BYTES) {
      throw new UsageError(
        `--data: ${path} has ${status.size} bytes, more than the ${MAX_FILE_BYTES} that can be read; take a part of it`,
      );
    }
    bytes = readFileSync(file);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `--data: cannot read ${path}: ${code === 'ENOENT' ? 'there is no such file' : (code ?? 'unknown reason')}`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`--data: ${path} is not text in UTF-8; expected JSON or NDJSON`);
  }
  if (text.trim() === '') throw new UsageError(`--data: ${path} is empty; expected JSON or NDJSON`);
  return text;
}

/** Also from where the user called npm, which runs scripts in the root of the package. */
function locate(path: string): string {
  const here = resolve(path);
  const { INIT_CWD } = process.env;
  if (INIT_CWD === undefined || statSync(here, { throwIfNoEntry: false }) !== undefined)
    return here;
  return resolve(join(INIT_CWD, path));
}

function parseRecords(path: string, text: string): readonly unknown[] {
  let whole: unknown;
  let reason: string;
  try {
    whole = JSON.parse(text);
    if (!Array.isArray(whole)) return [whole];
    if (whole.length === 0)
      throw new UsageError(`--data: ${path} holds an empty list; there is nothing to measure`);
    return whole as readonly unknown[];
  } catch (error) {
    if (error instanceof UsageError) throw error;
    reason = (error as Error).message;
  }
  const records: unknown[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      records.push(JSON.parse(line));
    } catch (error) {
      const problem =
        records.length === 0
          ? `is neither JSON nor NDJSON: ${reason}`
          : `is not JSON, and as NDJSON it is wrong at line ${index + 1}: ${(error as Error).message}`;
      throw new UsageError(`--data: ${path} ${printable(problem)}`);
    }
  }
  return records;
}

/** Messages of the parser quote the file, which may hold anything. */
function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

/** Whole numbers that come out of `JSON.parse` as others. By hand: no expression matches a text of 100 MB. */
function countInexactNumbers(text: string): { readonly count: number; readonly first: string } {
  let count = 0;
  let first = '';
  for (let index = 0; index < text.length; index++) {
    const char = text[index]!;
    if (char === '"') {
      index = endOfText(text, index);
      continue;
    }
    if (char < '0' || char > '9') continue;
    const start = index;
    while (index + 1 < text.length && NUMBER_PART.test(text[index + 1]!)) index++;
    const token = text.slice(start, index + 1);
    if (token.length < 16 || !WHOLE.test(token) || BigInt(token) === toBigInt(token)) continue;
    count++;
    if (count === 1) first = token.length > 40 ? `has ${token.length} digits` : `is ${token}`;
  }
  return { count, first };
}

const NUMBER_PART = /[\d.eE+-]/;
const WHOLE = /^\d+$/;

/** What `JSON.parse` makes of the digits; `undefined` when they are too many for a number. */
function toBigInt(digits: string): bigint | undefined {
  const number = Number(digits);
  return Number.isFinite(number) ? BigInt(number) : undefined;
}

function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text[first - 1] === '\\') first--;
    if ((end - first) % 2 === 0) return end;
  }
  return text.length;
}
