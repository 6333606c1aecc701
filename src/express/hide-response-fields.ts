import type { ServerResponse } from 'node:http';
import { methodsOf, replaceMethods } from './raw-response.js';
import { headArguments, setFields } from './response-head.js';

/**
 * Takes fields away from a response as it goes out. Whoever stands behind this still finds them, so what is decided by them,
 * and what is stored, stays as the handler wrote it: a later validation needs them again.
 */
export function hideResponseFields(res: ServerResponse, names: readonly string[]): void {
  const { writeHead } = methodsOf(res);
  const hiding = (...args: unknown[]): unknown => {
    const { status, reason, fields } = headArguments(args);
    // An interim answer has fields of its own.
    if (status < 200) return writeHead.apply(res, args);
    if (fields !== undefined) setFields(res, fields);
    for (const name of names) res.removeHeader(name);
    return reason === undefined ? writeHead.call(res, status) : writeHead.call(res, status, reason);
  };
  replaceMethods(res, { writeHead: hiding });
}
