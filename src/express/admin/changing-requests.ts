import type { IncomingMessage } from 'node:http';

const marked = new WeakSet<IncomingMessage>();

/** Whether a method changes nothing (RFC 9110 section 9.2.1). */
export function isSafeMethod(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** Notes that a request changes state although its method says otherwise: the old way to reset the statistics. */
export function markChanging(request: IncomingMessage): void {
  marked.add(request);
}

/** Whether a request changes state. */
export function changesState(request: IncomingMessage): boolean {
  return !isSafeMethod(request.method) || marked.has(request);
}
