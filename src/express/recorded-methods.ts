import type { ServerResponse } from 'node:http';
import { methodsOf, replaceMethods, type ResponseMethods } from './raw-response.js';

/** What stands in for the methods of a response: each gets the arguments that the route gave. */
export interface MethodStandIn {
  writeHead(args: unknown[]): ServerResponse;
  write(args: unknown[]): boolean;
  end(args: unknown[]): ServerResponse;
  flushHeaders(): void;
}

/** Puts a stand-in before the methods of a response, and gives the methods that were there. */
export function standBefore(res: ServerResponse, standIn: MethodStandIn): ResponseMethods {
  const methods = methodsOf(res);
  replaceMethods(res, {
    writeHead: (...args) => standIn.writeHead(args),
    write: (...args) => standIn.write(args),
    end: (...args) => standIn.end(args),
    flushHeaders: () => standIn.flushHeaders(),
  });
  return methods;
}
