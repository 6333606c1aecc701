import type { CacheCore } from '../../cache/cache-core.js';
import type { CacheManager } from '../../manager/cache-manager.js';

/** What a route answers: a status with a JSON body, or without one. */
export interface AdminAnswer {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a route works on. */
export interface AdminCall {
  readonly manager: CacheManager;
  readonly query: AdminQuery;
  /** The key in the path, decoded; `''` for routes without one. */
  readonly key: string;
}

/** 200 with a body. */
export function ok(body: object): AdminAnswer {
  return { status: 200, body };
}

/** A refusal in the form of all errors. */
export function refusal(
  status: number,
  code: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): AdminAnswer {
  const body = { error: { code, name: 'AdminRequestError', message } };
  return { status, body, ...(headers !== undefined && { headers }) };
}

/** A request that cannot be answered as it is. */
export function badRequest(message: string): AdminAnswer {
  return refusal(400, 'ERR_ADMIN_BAD_REQUEST', message);
}

/** There is no cache of that name here. */
export function noSuchCache(): AdminAnswer {
  return refusal(
    404,
    'ERR_CACHE_UNKNOWN_CACHE',
    'This process has no cache of that name; see the route caches.',
  );
}

/**
 * The caches that a request means: the one that it names, else all. `undefined` when there is none of that name: the
 * admin never makes a cache, for the application may define it later with settings of its own.
 */
export function chosenCaches({ manager, query }: AdminCall): readonly CacheCore[] | undefined {
  const name = query.get('cache') ?? query.get('namespace');
  const names = manager.caches();
  if (name === undefined) return names.map((each) => manager.core(each));
  return names.includes(name) ? [manager.core(name)] : undefined;
}

/** The parameters of a request, each at most once unless it may repeat. */
export class AdminQuery {
  readonly #parameters: URLSearchParams;

  constructor(parameters: URLSearchParams) {
    this.#parameters = parameters;
  }

  /** The value of a parameter; `''` is a value. */
  get(name: string): string | undefined {
    return this.#parameters.get(name) ?? undefined;
  }

  getAll(name: string): readonly string[] {
    return this.#parameters.getAll(name);
  }

  /**
   * What is wrong with the names of the parameters. A clear whose `pattern` is misspelt must not clear everything, so
   * what is not known is refused.
   */
  fault(known: readonly string[], repeatable: readonly string[] = []): string | undefined {
    const seen = new Set<string>();
    for (const name of this.#parameters.keys()) {
      if (!known.includes(name)) {
        return `There is no such parameter here; known are: ${known.join(', ') || 'none'}.`;
      }
      if (seen.has(name) && !repeatable.includes(name)) return `'${name}' is given twice.`;
      seen.add(name);
    }
    return undefined;
  }
}
