import type { BackendCapabilities, BackendStore } from '#internal/cache/backend.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { FaultyBackend, type FaultyOperation } from '#internal/testing/faulty-backend.js';

/** What a store that is out of reach cannot do. */
export const FAULTY_OPERATIONS: readonly FaultyOperation[] = [
  ...([
    'get',
    'getMany',
    'begin',
    'beginTurns',
    'watch',
    'store',
    'delete',
    'deletePattern',
  ] as const),
  ...(['clear', 'expire', 'scan', 'invalidateTags', 'clearAll', 'ping', 'info'] as const),
];

/**
 * A store that counts as shared with other processes, with faults and delays on demand. `elsewhere` is how another
 * process sees one of its caches: no manager of this process notices what is done there.
 */
export class SharedFaultyBackend extends FaultyBackend {
  override readonly capabilities: BackendCapabilities;
  readonly #memory: MemoryBackend;

  constructor(memory: MemoryBackend = new MemoryBackend()) {
    super(memory);
    this.#memory = memory;
    this.capabilities = { ...memory.capabilities, isShared: true };
  }

  elsewhere(cache: string): BackendStore {
    return this.#memory.open({ name: cache, version: 'v1' });
  }
}
