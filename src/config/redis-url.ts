/** What a Redis URL says about a server; a part that the URL leaves out is absent. */
export interface RedisAddress {
  readonly host?: string;
  readonly port?: number;
  readonly db?: number;
  readonly username?: string;
  readonly password?: string;
  /** Only ever `true`: `redis://` leaves the question of TLS open. */
  readonly ssl?: true;
}

/** The form that {@link parseRedisUrl} reads, for messages. */
export const REDIS_URL_FORM = 'redis://[[user]:password@]host[:port][/db], or rediss:// for TLS';

/**
 * The parts of a Redis URL, after the schemes `redis` and `rediss` of the IANA registry; `undefined` when it is
 * none. The user name and the password are percent-decoded.
 */
export function parseRedisUrl(value: string): RedisAddress | undefined {
  let url: URL;
  let username: string;
  let password: string;
  try {
    url = new URL(value);
    username = decodeURIComponent(url.username);
    password = decodeURIComponent(url.password);
  } catch {
    // No cause is passed on: the error of `URL` carries its input, credentials included.
    return undefined;
  }
  const path = /^\/?(\d{0,9})$/.exec(url.pathname);
  if ((url.protocol !== 'redis:' && url.protocol !== 'rediss:') || path === null) return undefined;
  if (url.hostname === '' || url.port === '0') return undefined;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(url.port !== '' && { port: Number(url.port) }),
    ...(path[1] !== '' && { db: Number(path[1]) }),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...(url.protocol === 'rediss:' && { ssl: true as const }),
  };
}
