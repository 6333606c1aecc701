/** What a process of the stampede is started with. */
export interface CallerSetup {
  readonly port: number;
  readonly prefix: string;
  /** Of the backend, in milliseconds. */
  readonly lease: number;
  /** How long a load takes, in milliseconds. */
  readonly loadMs: number;
  /** Whether each process keeps copies in memory, over the Redis that all share. */
  readonly isTiered: boolean;
}

/** So many callers shall want a key at once. */
export interface CallerOrder {
  readonly key: string;
  readonly callers: number;
}

/** What such a process tells. */
export type CallerAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'loading' }
  | {
      readonly type: 'done';
      readonly loads: number;
      /** Callers who got something else than the value, or an error. */
      readonly wrong: number;
      readonly tookMs: number;
    };
