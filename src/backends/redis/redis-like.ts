/**
 * The part of an ioredis client that the Redis backend uses.
 *
 * A structural type, so that no declaration of this package names ioredis: a `Redis` of ioredis 5 and of ioredis 6
 * fits, and so does any client with these methods. Scripts must be binary safe in both directions.
 */
export interface RedisLike {
  /** `ready`, `wait`, `connecting`, `connect`, `reconnecting`, `close` or `end`; absent counts as `ready`. */
  readonly status?: string;
  readonly isCluster?: boolean;
  readonly options?: RedisLikeOptions;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  removeListener(event: string, listener: (...args: unknown[]) => void): unknown;
  connect(): Promise<unknown>;
  ping(): Promise<unknown>;
  info(): Promise<string>;
  pttl(key: string): Promise<number>;
  pexpire(key: string, milliseconds: number): Promise<number>;
  mgetBuffer(...keys: string[]): Promise<(Buffer | null)[]>;
  scan(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    countToken: 'COUNT',
    count: number,
  ): Promise<[cursor: string, keys: string[]]>;
  /** Sends a command whose answer holds buffers: `evalsha` and `eval`. */
  callBuffer(command: string, ...commandArguments: (string | Buffer | number)[]): Promise<unknown>;
  /** Of a Cluster client: a client for each node of the role. */
  nodes?(role: 'master'): RedisLike[];
  /** Of a Cluster client: by slot, the nodes that serve it as `host:port`, the master first. */
  readonly slots?: readonly (readonly string[] | undefined)[] | undefined;
  quit(): Promise<unknown>;
  /** @param reconnect - whether the client should connect again by itself */
  disconnect(reconnect?: boolean): void;
}

/** The options of a client that decide whether the backend can use it. */
export interface RedisLikeOptions {
  readonly keyPrefix?: string | undefined;
  /** `slave`: a Sentinel client that reads from replicas. */
  readonly role?: string | undefined;
  readonly readOnly?: boolean | undefined;
  /** Of a Cluster client. */
  readonly scaleReads?: unknown;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}
