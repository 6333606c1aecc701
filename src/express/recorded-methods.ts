import type { ServerResponse } from 'node:http';
import { methodsOf, type ResponseMethods } from './raw-response.js';

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
  const replaced = res as unknown as ResponseMethods;
  replaced.writeHead = (...args) => standIn.writeHead(args);
  replaced.write = (...args) => standIn.write(args);
  replaced.end = (...args) => standIn.end(args);
  replaced.flushHeaders = () => standIn.flushHeaders();
  return methods;
}
