/**
 * `cachewell/http`: the decisions of a shared HTTP cache without a server, a store or a clock. What `cachewell/express` is built
 * on, for other frameworks to build on.
 */
export { HttpCachePolicy } from './http-cache-policy.js';
export type { HttpCachePolicyOptions } from './policy-options.js';
export {
  HTTP_PROFILES,
  type HttpProfile,
  type ProfileRules,
  type RequestControl,
} from './http-profile.js';
export {
  type ExchangeTimes,
  type FieldMap,
  type RequestHead,
  type ResponseHead,
  StoredFlag,
  type StoredHead,
  type StoredResponse,
} from './http-message.js';
export type {
  BypassReason,
  ConditionalAnswer,
  FreshenDecision,
  NotReusedReason,
  NotStoredReason,
  RequestContext,
  RequestPlan,
  ReuseDecision,
  StorageDecision,
} from './cache-decision.js';
export { readStored } from './read-stored.js';
export { notModifiedFields } from './conditional-answer.js';
export { type CacheOutcome, formatCacheStatus, type ForwardReason } from './cache-status.js';
export { invalidatedGroups, responseGroups } from './cache-groups.js';
export { formatHttpDate, parseHttpDate } from './http-date.js';

// Keys and tags of requests
export {
  looksLikeFile,
  MAX_PATH_DEPTH,
  MAX_PATH_LENGTH,
  MAX_QUERY_PARAMETERS,
  refusedTarget,
  type TargetRefusal,
} from './request-target.js';
export { responseKey, type ResponseKeyParts } from './response-key.js';
export { queryFilter, type QueryFilter, type QuerySelection } from './query-parameters.js';
export { escapeKeyComponent } from './key-component.js';
export {
  INVALIDATION_SCOPES,
  pathInvalidationTags,
  pathTags,
  type InvalidationScope,
} from './path-tags.js';
export { invalidationPatterns } from './invalidation-patterns.js';
export { invalidates } from './safe-methods.js';
