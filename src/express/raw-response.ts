import type { ServerResponse } from 'node:http';

/** The ways out of a response, past whoever watches it. */
export interface RawResponse {
  readonly res: ServerResponse;
  /** Whether `writeHead` is Node's own, which takes flat lists. */
  readonly isPlain: boolean;
  writeHead(status: number, fields?: readonly string[]): void;
  end(body?: Uint8Array): void;
}

/** A response that nothing stands before. */
export class DirectResponse implements RawResponse {
  readonly res: ServerResponse;
  readonly isPlain: boolean;

  constructor(res: ServerResponse) {
    this.res = res;
    this.isPlain = isPlainResponse(res, Object.hasOwn(res, 'writeHead'));
  }

  writeHead(status: number, fields?: readonly string[]): void {
    if (fields === undefined) this.res.writeHead(status);
    else this.res.writeHead(status, fields as string[]);
  }

  end(body?: Uint8Array): void {
    this.res.end(body);
  }
}

/**
 * Whether a flat list of fields may be given to `writeHead`: other middleware that stands before it need not know such lists,
 * and Node keeps but one line of each field where others have been set.
 */
export function isPlainResponse(res: ServerResponse, isWatched: boolean): boolean {
  return !isWatched && res.getHeaderNames().length === 0;
}
