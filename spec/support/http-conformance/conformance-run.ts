/** What is tested: an application without a cache and one with apicache prove the harness. */
export type ConformanceSubject = 'cachewell' | 'none' | 'apicache';

export type ConformanceProfile = 'safe' | 'rfc9111';

export type ConformanceBackend = 'memory' | 'redis' | 'tiered';

/** Whether the cached routes are the suite's origin itself, or forward to a server that is. */
export type ConformanceMode = 'in-process' | 'proxy';

/** One run of the whole suite. */
export interface ConformanceRun {
  readonly subject: ConformanceSubject;
  readonly profile: ConformanceProfile;
  readonly backend: ConformanceBackend;
  readonly mode: ConformanceMode;
  /** Whether the fast lane answers in front of Express. */
  readonly isFront: boolean;
}

export const CONFORMANCE_SUBJECTS: readonly ConformanceSubject[] = [
  'none',
  'apicache',
  'cachewell',
];
export const CONFORMANCE_PROFILES: readonly ConformanceProfile[] = ['rfc9111', 'safe'];
export const CONFORMANCE_BACKENDS: readonly ConformanceBackend[] = ['memory', 'redis', 'tiered'];
export const CONFORMANCE_MODES: readonly ConformanceMode[] = ['in-process', 'proxy'];

/** Such as `rfc9111, tiered, proxy, front`. */
export function runName({ subject, profile, backend, mode, isFront }: ConformanceRun): string {
  if (subject !== 'cachewell') return `${subject}, ${mode}`;
  return [profile, backend, mode, ...(isFront ? ['front'] : [])].join(', ');
}
