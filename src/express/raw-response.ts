import { ServerResponse } from 'node:http';

/** The methods that a response is written by, as middleware replaces them. */
export interface ResponseMethods {
  writeHead: (...args: unknown[]) => unknown;
  write: (...args: unknown[]) => unknown;
  end: (...args: unknown[]) => unknown;
  flushHeaders: (...args: unknown[]) => unknown;
}

/** The ways out of a response, past whoever watches it. */
export interface RawResponse {
  readonly res: ServerResponse;
  /** Whether a flat list of fields may be given to `writeHead`; see {@link isPlainResponse}. */
  readonly isPlain: boolean;
  writeHead(status: number, fields?: readonly string[]): void;
  end(body?: Uint8Array): void;
}

/** The methods of a response as they are now. */
export function methodsOf(res: object): ResponseMethods {
  const { writeHead, write, end, flushHeaders } = res as ResponseMethods;
  return { writeHead, write, end, flushHeaders };
}

/**
 * Puts methods before those of a response.
 *
 * Not by `res.end = () => …` where they are made: V8 takes a function that is assigned to a property as it is written down for one
 * that stays, and allocates it among the old objects. So it would keep the response, and all that its route has made,
 * from being freed before the next full collection.
 */
export function replaceMethods(res: object, methods: Partial<ResponseMethods>): void {
  Object.assign(res, methods);
}

/** Sends by the methods that a response had at a time. */
export function rawResponse(res: ServerResponse, methods: ResponseMethods): RawResponse {
  return {
    res,
    isPlain: isPlainResponse(res, methods),
    writeHead: (status, fields) => {
      if (fields === undefined) methods.writeHead.call(res, status);
      else methods.writeHead.call(res, status, fields);
    },
    end: (body) => {
      if (body === undefined) methods.end.call(res);
      else methods.end.call(res, body, 'utf8');
    },
  };
}

const NODES_OWN = (ServerResponse.prototype as unknown as ResponseMethods).writeHead;

/**
 * Whether a flat list of fields may be given to `writeHead`: middleware that stands before it need not know such lists,
 * and Node keeps but one line of each field where others have been set.
 */
export function isPlainResponse(
  res: ServerResponse,
  { writeHead }: Pick<ResponseMethods, 'writeHead'>,
): boolean {
  return writeHead === NODES_OWN && res.getHeaderNames().length === 0;
}
