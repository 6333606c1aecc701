import type { ServerResponse } from 'node:http';

/** Fields of a body that was begun for another answer, and would make this one unreadable or storable. */
const FIELDS_OF_ANOTHER_BODY = [
  'Content-Encoding',
  'Content-Language',
  'Content-Location',
  'Content-Range',
  'Content-Disposition',
  'Accept-Ranges',
  'ETag',
  'Last-Modified',
  'Expires',
  'Age',
  'CDN-Cache-Control',
  'Surrogate-Control',
  'Transfer-Encoding',
  'Trailer',
];

/**
 * Answers with a JSON body that nobody keeps (RFC 9111 section 5.2.2.5), and without one to `HEAD`. What was set for
 * another body is taken off.
 */
export function sendJson(
  method: string | undefined,
  response: ServerResponse,
  status: number,
  body: object,
): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  for (const name of FIELDS_OF_ANOTHER_BODY) response.removeHeader(name);
  response.statusCode = status;
  // A reason phrase that was set belongs to another status.
  response.statusMessage = '';
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', bytes.length);
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (method === 'HEAD') response.end();
  else response.end(bytes);
}
