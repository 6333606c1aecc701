import type { BackendSession } from './backend-session.js';

/** What a case needs that not every backend has. */
export type BackendNeed =
  'conditional stores' | 'scanning' | 'bytes' | 'time' | 'allOf' | 'release' | 'leases' | 'lapse';

/** One case of the conformance suite of backends. */
export interface BackendCase {
  readonly name: string;
  readonly needs?: readonly BackendNeed[] | undefined;
  readonly run: (session: BackendSession) => Promise<void>;
}

/** A case. */
export function backendCase(
  name: string,
  run: (session: BackendSession) => Promise<void>,
  ...needs: readonly BackendNeed[]
): BackendCase {
  return { name, needs, run };
}
