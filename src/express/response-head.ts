import type { ServerResponse } from 'node:http';
import type { FieldMap, ResponseHead } from '../http/http-message.js';

/** The arguments of `writeHead`, in one form. */
export interface HeadArguments {
  readonly status: number;
  readonly reason: string | undefined;
  /** Flat: name, value, name, value …; a field with several lines several times. `undefined` = none were given. */
  readonly fields: readonly string[] | undefined;
}

/** A response's head as its route has put it together. */
export interface CapturedHead extends ResponseHead {
  readonly rawHeaders: readonly string[];
}

type FieldValue = string | number | readonly string[] | undefined;

/**
 * Reads the arguments of `writeHead` in all its forms: with and without a reason; fields as an object, as a flat list, or
 * as a list of pairs.
 */
export function headArguments(args: readonly unknown[]): HeadArguments {
  const status = Number(args[0]) | 0;
  if (args.length === 1) return { status, reason: undefined, fields: undefined };
  const hasReason = typeof args[1] === 'string';
  const given = hasReason ? args[2] : (args[1] ?? args[2]);
  return {
    status,
    reason: hasReason ? (args[1] as string) : undefined,
    fields: given === undefined || given === null ? undefined : flatFields(given),
  };
}

/**
 * The head that goes out: the fields set on the response, overridden by those given to `writeHead`.
 *
 * @param isOuter - tells fields that something before the cache has set, and sets again when the cache answers: they count
 * for decisions, and are not part of what the route wrote
 */
export function captureHead(
  res: ServerResponse,
  { status, fields }: HeadArguments,
  isOuter: (name: string, value: FieldValue) => boolean,
): CapturedHead {
  const headers: Record<string, string | string[]> = Object.create(null) as never;
  const rawHeaders: string[] = [];
  const overridden = fields === undefined ? undefined : lowerNames(fields);
  const names = rawFieldNames(res);
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!;
    const lower = name.toLowerCase();
    if (overridden?.has(lower) === true) continue;
    const value = res.getHeader(lower);
    if (value === undefined) continue;
    if (!Array.isArray(value)) {
      const text = String(value);
      headers[lower] = text;
      if (!isOuter(lower, value)) rawHeaders.push(name, text);
      continue;
    }
    const lines = value.map(String);
    headers[lower] = lines.length === 1 ? lines[0]! : lines;
    if (isOuter(lower, value)) continue;
    for (const line of lines) rawHeaders.push(name, line);
  }
  if (fields !== undefined) {
    for (let index = 0; index < fields.length; index += 2) {
      const lower = fields[index]!.toLowerCase();
      const value = fields[index + 1]!;
      const before = headers[lower];
      headers[lower] =
        before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
      rawHeaders.push(fields[index]!, value);
    }
  }
  return { status, headers: headers as FieldMap, rawHeaders };
}

/** The names of the fields set on a response, as they were written. */
export function rawFieldNames(res: ServerResponse): readonly string[] {
  // Node has it for all outgoing messages, its types for client requests alone.
  return (res as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames();
}

/**
 * Sets fields of a flat list on a response, in place of those of the same names. Node's `writeHead` keeps only the last line of
 * a field of such a list where other fields have been set.
 */
export function setFields(res: ServerResponse, fields: readonly string[]): void {
  const seen = new Set<string>();
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    const lower = name.toLowerCase();
    if (seen.has(lower)) res.appendHeader(name, fields[index + 1]!);
    else res.setHeader(name, fields[index + 1]!);
    seen.add(lower);
  }
}

/** A flat list as pairs, each name once. */
export function groupedFields(
  fields: readonly string[],
): readonly (readonly [name: string, value: string | readonly string[]])[] {
  const groups = new Map<string, [string, string[]]>();
  for (let index = 0; index < fields.length; index += 2) {
    const lower = fields[index]!.toLowerCase();
    const group = groups.get(lower);
    if (group === undefined) groups.set(lower, [fields[index]!, [fields[index + 1]!]]);
    else group[1].push(fields[index + 1]!);
  }
  return [...groups.values()].map(([name, values]) => [
    name,
    values.length === 1 ? values[0]! : values,
  ]);
}

/** The value of a field in a flat list; `undefined` when it is not there. */
export function fieldIn(fields: readonly string[], lower: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]!.length === lower.length && fields[index]!.toLowerCase() === lower) {
      return fields[index + 1];
    }
  }
  return undefined;
}

/** The fields of one flat list whose names another one has not. */
export function missingFields(fields: readonly string[], further: readonly string[]): string[] {
  return fieldsWithout(further, (lower) => fieldIn(fields, lower) !== undefined);
}

/** A flat list without the fields that a check names. */
export function fieldsWithout(
  fields: readonly string[],
  isDropped: (lower: string) => boolean,
): string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    if (!isDropped(fields[index]!.toLowerCase())) kept.push(fields[index]!, fields[index + 1]!);
  }
  return kept;
}

function flatFields(given: unknown): string[] {
  const flat: string[] = [];
  const add = (name: unknown, value: unknown): void => {
    if (value === undefined) return;
    if (Array.isArray(value)) for (const each of value) flat.push(String(name), String(each));
    else flat.push(String(name), String(value as string | number));
  };
  if (!Array.isArray(given)) {
    for (const name of Object.keys(given as object)) {
      add(name, (given as Record<string, unknown>)[name]);
    }
  } else if (Array.isArray(given[0])) {
    for (const pair of given as readonly (readonly unknown[])[]) add(pair[0], pair[1]);
  } else {
    for (let index = 0; index + 1 < given.length; index += 2) add(given[index], given[index + 1]);
  }
  return flat;
}

function lowerNames(fields: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (let index = 0; index < fields.length; index += 2) names.add(fields[index]!.toLowerCase());
  return names;
}
