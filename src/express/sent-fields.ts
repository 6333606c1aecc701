import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/**
 * Whether the fields of a request are still those that were sent. The rules about variants and credentials read them, and the
 * front sees what was sent: what middleware has put in, or taken away, would let the client choose.
 */
export function hasFieldsAsSent({ headers, rawHeaders }: IncomingMessage): boolean {
  return isInStep(headers, rawHeaders) || isSameByName(headers, rawHeaders);
}

/** Whether each field was sent once and nothing was done to them: what nearly all requests are, and what is seen at least cost. */
function isInStep(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean {
  let place = 0;
  for (const name in headers) {
    if (rawHeaders[place]?.toLowerCase() !== name) return false;
    if (rawHeaders[place + 1] !== headers[name]) return false;
    place += 2;
  }
  return place === rawHeaders.length;
}

function isSameByName(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean {
  const sent = new Map<string, string[]>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    const values = sent.get(name);
    if (values === undefined) sent.set(name, [rawHeaders[index + 1]!]);
    else values.push(rawHeaders[index + 1]!);
  }
  const names = Object.keys(headers).filter((name) => headers[name] !== undefined);
  return (
    names.length === sent.size && names.every((name) => isSame(headers[name]!, sent.get(name)))
  );
}

/** Node joins the lines of a field, or keeps the first, as the field demands. */
function isSame(value: string | string[], lines: readonly string[] | undefined): boolean {
  if (lines === undefined) return false;
  if (typeof value !== 'string') return value.join('\n') === lines.join('\n');
  return value === lines[0] || value === lines.join(', ') || value === lines.join('; ');
}
