export {
  describeBackend,
  type DescribeBackendOptions,
  type TestWords,
} from './describe-backend.js';
export type { BackendUnderTest } from './backend-session.js';
export {
  cacheSubject,
  type CacheSubjectOptions,
  type SubjectManager,
} from './consistency/cache-subject.js';
export { ConsistencyRunError } from './consistency/consistency-run-error.js';
export {
  ConsistencyJudge,
  type ConsistencyViolation,
  type JudgeFindings,
  type JudgeOptions,
  type Progress,
} from './consistency/consistency-judge.js';
export type { ConsistencyOptions, ConsistencyRun } from './consistency/consistency-options.js';
export {
  renderConsistencyReport,
  type ConsistencyReport,
  type FailureSummary,
} from './consistency/consistency-report.js';
export type {
  ConsistencySubject,
  EntryTags,
  InvalidationTarget,
  OpenSubject,
  OriginLoad,
  OriginLoadMany,
  OriginLoadOf,
  SubjectContext,
} from './consistency/consistency-subject.js';
export { DEFAULT_MIX, type OperationKind, type OperationMix } from './consistency/operation-mix.js';
export type {
  InvalidationKind,
  InvalidationRecord,
  LoadRecord,
  OperationRecord,
  OriginValue,
  ReadKind,
  ReadRecord,
} from './consistency/operation-record.js';
export { runConsistency } from './consistency/run-consistency.js';
export { describeCodec, type CodecSuiteOptions } from './describe-codec.js';
export { describeCompressor, type CompressorSuiteOptions } from './describe-compressor.js';
export {
  FaultProxy,
  type FaultProxyCounts,
  type FaultProxyOptions,
  type ProxyDirection,
} from './fault-proxy.js';
export {
  FaultyBackend,
  type FaultOptions,
  type FaultPoint,
  type FaultyOperation,
} from './faulty-backend.js';
export type { HeldCalls } from './gate.js';
export { ManualClock } from './manual-clock.js';
export type { MessageCounts, MessageFaultKind, MessageFaultOptions } from './message-faults.js';
export type { PushedMessage } from './pushed-message.js';
export { type MemoryBus, MemoryBusHub } from './memory-bus.js';
