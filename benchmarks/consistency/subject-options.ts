/** What the subjects get from `run.ts`. */
export interface SubjectOptions {
  /** The URL of the Redis server that all processes share. */
  readonly url: string;
}

/** How long entries live in every subject: longer than a run, so that nothing goes away by itself. */
export const TTL_MS = 3_600_000;
