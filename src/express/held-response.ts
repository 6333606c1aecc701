import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The parts of Node's response that hold what it writes. There since Node 0.10, and used by its own pipelining. */
interface ResponseInternals {
  socket: Socket | null;
  _flush?(): void;
}

/**
 * Keeps what a response writes from now on, its head included unless that has gone, until the result is called.
 *
 * Node itself keeps the bytes of a response whose turn on its connection has not come; this makes it believe so. Everything
 * that a handler can see stays as it would be: `headersSent`, `writableEnded`, what `write` gives, `drain`, callbacks,
 * `finish`, errors, and the bytes. Only `res.socket` is `null` meanwhile. The next response of the connection waits, too.
 */
export function holdResponse(res: ServerResponse): () => void {
  const internals = res as unknown as ResponseInternals;
  // A response of something that only looks like Node's cannot be held; it is sent as it comes.
  if (typeof internals._flush !== 'function') return () => undefined;
  let socket: Socket | null = internals.socket;
  let isHeld = true;
  internals.socket = null;
  // Its turn on the connection may come while it is held. Listeners run before Node flushes.
  const onSocket = (): void => {
    socket = internals.socket;
    internals.socket = null;
  };
  res.prependListener('socket', onSocket);
  return () => {
    if (!isHeld) return;
    isHeld = false;
    res.removeListener('socket', onSocket);
    if (socket === null) return;
    internals.socket = socket;
    // For those who came while there was none, and wait for it: `destroy`, `setTimeout`.
    res.emit('socket', socket);
    // From Node 24 on `destroy` does not wait for one.
    if (res.destroyed && !socket.destroyed) socket.destroy();
    internals._flush!();
    // `end` corks the socket first, and could not uncork it.
    if (res.writableEnded) while (socket.writableCorked > 0) socket.uncork();
  };
}
