import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { describeResponseGroups } from '../../support/http-groups-suite.js';

describeResponseGroups('in memory', () => new MemoryBackend());
