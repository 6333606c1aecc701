import { setImmediate as turn } from 'node:timers/promises';
import { FaultyBackend } from 'cachewell/testing';
import type { CallOptions, TagSelection } from '#internal/cache/backend.js';

/** Takes its time over invalidations by tag: nothing is void before some turns of the event loop have passed. */
export class LateTags extends FaultyBackend {
  override async invalidateTags(selection: TagSelection, options?: CallOptions): Promise<void> {
    for (let turns = 0; turns < 8; turns++) await turn();
    await super.invalidateTags(selection, options);
  }
}
