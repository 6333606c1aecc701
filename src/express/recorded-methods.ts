import { ServerResponse } from 'node:http';
import { notePassage, passageOf, type MethodStandIn } from './passage.js';
import { methodsOf, type ResponseMethods } from './raw-response.js';

interface Recorded {
  readonly prototype: object;
  readonly methods: ResponseMethods;
}

const recorded = new WeakMap<object, Recorded>();

/**
 * Puts a stand-in before the methods of a response, and gives the methods that were there.
 *
 * Express gives each response another prototype, and every property that is added to such a response costs more than a
 * microsecond. So on a route, where Express gives it no further one, it gets a prototype of ours between: the same for all
 * responses of an application. Wherever other middleware may have replaced methods, they are replaced on the response itself.
 */
export function standBefore(
  res: ServerResponse,
  standIn: MethodStandIn,
  isRoute: boolean,
): ResponseMethods {
  const base = Object.getPrototypeOf(res) as ServerResponse;
  const isOwn = !isRoute || base === ServerResponse.prototype || hasOwnMethods(res);
  if (isOwn || passageOf(res)?.standIn !== undefined) {
    const methods = methodsOf(res);
    const replaced = res as unknown as ResponseMethods;
    replaced.writeHead = (...args) => standIn.writeHead(args);
    replaced.write = (...args) => standIn.write(args);
    replaced.end = (...args) => standIn.end(args);
    replaced.flushHeaders = () => standIn.flushHeaders();
    return methods;
  }
  let between = recorded.get(base);
  if (between === undefined) {
    between = { prototype: recordedPrototype(base), methods: methodsOf(base) };
    recorded.set(base, between);
  }
  notePassage(res).standIn = standIn;
  Object.setPrototypeOf(res, between.prototype);
  return between.methods;
}

function hasOwnMethods(res: ServerResponse): boolean {
  return (
    Object.hasOwn(res, 'writeHead') ||
    Object.hasOwn(res, 'write') ||
    Object.hasOwn(res, 'end') ||
    Object.hasOwn(res, 'flushHeaders')
  );
}

function recordedPrototype(base: object): object {
  return Object.assign(Object.create(base) as object, {
    writeHead(this: ServerResponse, ...args: unknown[]) {
      return standInOf(this).writeHead(args);
    },
    write(this: ServerResponse, ...args: unknown[]) {
      return standInOf(this).write(args);
    },
    end(this: ServerResponse, ...args: unknown[]) {
      return standInOf(this).end(args);
    },
    flushHeaders(this: ServerResponse) {
      standInOf(this).flushHeaders();
    },
  } satisfies ResponseMethods);
}

function standInOf(res: ServerResponse): MethodStandIn {
  return passageOf(res)!.standIn!;
}
