import type { ServerResponse } from 'node:http';
import type { MethodStandIn } from './passage.js';
import { methodsOf, type ResponseMethods } from './raw-response.js';

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
