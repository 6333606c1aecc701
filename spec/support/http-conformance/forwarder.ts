import {
  Agent,
  request as send,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';

/** Fields that concern one connection alone (RFC 9110 section 7.6.1), beside those that `Connection` names. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Hands requests on to another server on loopback, and its answers back: what makes an application a proxy. */
export class Forwarder {
  readonly #port: number;
  /** A connection for each request: one that the server closes while it is used again fails a request that nobody repeats. */
  readonly #agent = new Agent({ keepAlive: false });

  constructor(port: number) {
    this.#port = port;
  }

  /** @param next - is told when the other server cannot be reached, or ends before its head was complete */
  forward(req: IncomingMessage, res: ServerResponse, next: (error: unknown) => void): void {
    const upstream = send({
      host: '127.0.0.1',
      port: this.#port,
      method: req.method!,
      path: req.url!,
      headers: endToEnd(req),
      agent: this.#agent,
    });
    upstream.on('information', ({ statusCode, headers }) => {
      if (statusCode === 102) res.writeProcessing();
      if (statusCode === 103) {
        res.writeEarlyHints(headers as Record<string, string | string[]>);
      }
    });
    upstream.on('error', (error) => {
      if (res.headersSent) res.destroy();
      else next(Object.assign(error, { status: 502 }));
    });
    upstream.on('response', (answer) => {
      res.statusCode = answer.statusCode!;
      res.statusMessage = answer.statusMessage!;
      const dropped = connectionFields(answer);
      for (let index = 0; index < answer.rawHeaders.length; index += 2) {
        const name = answer.rawHeaders[index]!;
        if (!dropped.has(name.toLowerCase())) res.appendHeader(name, answer.rawHeaders[index + 1]!);
      }
      answer.on('error', () => res.destroy());
      answer.pipe(res);
    });
    req.pipe(upstream);
  }

  close(): void {
    this.#agent.destroy();
  }
}

function endToEnd(req: IncomingMessage): OutgoingHttpHeaders {
  const dropped = connectionFields(req);
  // Not the raw fields: a cache before this handler may have added conditions of its own.
  return Object.fromEntries(
    Object.entries(req.headers).flatMap(([name, value]) =>
      value === undefined || dropped.has(name) ? [] : [[name, value]],
    ),
  );
}

function connectionFields({ headers }: IncomingMessage): ReadonlySet<string> {
  const named = (headers.connection ?? '').toLowerCase().split(',');
  return new Set([...HOP_BY_HOP, ...named.map((name) => name.trim())]);
}
