export {
  describeBackend,
  type DescribeBackendOptions,
  type TestWords,
} from './describe-backend.js';
export type { BackendUnderTest } from './backend-session.js';
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
