import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { SuiteHandlers } from './suite.js';

/** Called when the origin "closes the connection" instead of answering. */
export type OriginDied = (error: Error) => void;

/** Answers a request as the suite's own origin server does. */
export type SuiteOrigin = (
  request: IncomingMessage,
  response: ServerResponse,
  died?: OriginDied,
) => void;

/**
 * The suite's origin as a handler. Within an application there is no connection to the origin that it could close, for the
 * only socket is the client's: there it fails, and the fields that it has set until then never left.
 */
export function suiteOrigin({ config, state, test }: SuiteHandlers): SuiteOrigin {
  return (request, response, died) => {
    const [, route, ...segments] = new URL(request.url!, 'http://origin.invalid').pathname.split(
      '/',
    );
    if (route === 'config') config(segments, request, response);
    else if (route === 'state') state(segments, request, response);
    else if (route === 'test') {
      test(segments, asReceived(request), died === undefined ? response : mortal(response, died));
    } else {
      response.statusCode = 404;
      response.end();
    }
  };
}

/** The suite's origin as a server of its own. */
export function suiteListener(origin: SuiteOrigin): RequestListener {
  return (request, response) => origin(request, response);
}

/** The suite remembers requests by reference, and a cache may put back what it has changed. */
function asReceived({
  method,
  url,
  headers,
}: IncomingMessage): Pick<IncomingMessage, 'method' | 'url' | 'headers'> {
  return { method: method!, url: url!, headers: { ...headers } };
}

function mortal(response: ServerResponse, died: OriginDied): ServerResponse {
  const written = new Set<string>();
  const socket = {
    destroy: (): void => {
      for (const name of written) response.removeHeader(name);
      response.statusCode = 200;
      response.statusMessage = '';
      died(new Error('The origin has closed the connection.'));
    },
  };
  return new Proxy(response, {
    get(target, name) {
      if (name === 'socket') return socket;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        if (name === 'setHeader') written.add(String(args[0]));
        return Reflect.apply(value, target, args);
      };
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}
