import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { describeHttpSecurity } from '../../support/http-security-suite.js';

describeHttpSecurity('in memory', () => new MemoryBackend());
describeHttpSecurity('in memory, copied', () => new MemoryBackend({ isolation: 'copy' }));
