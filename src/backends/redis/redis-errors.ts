import {
  CacheBackendError,
  CacheConnectionError,
  isCacheError,
  type CacheError,
} from '../../errors.js';

/** The codes with which Redis refuses whoever is not who they should be. */
const LOGIN = /\b(NOAUTH|WRONGPASS|NOPERM)\b|invalid password|AUTH <password>/;
/** What the parser of ioredis says of bytes that are not Redis' protocol. */
const PROTOCOL = /^Protocol error/;
const REPLY_CODE = /^-?([A-Z]{2,}) /;
/** What to do about replies that a user can do something about. */
const ADVICE: Readonly<Record<string, string>> = {
  OOM: 'its memory is full: raise maxmemory, or set maxmemory-policy to one that evicts',
  READONLY: 'it is a read-only replica: connect to the master, or through Sentinels',
  MISCONF: 'it cannot write its snapshots, so it refuses writes: look at its log and disk',
  LOADING: 'it is still loading its data: try again later',
  MASTERDOWN: 'it is a replica without a master',
  NOREPLICAS: 'it has fewer replicas than it was told to have',
  BUSY: 'a script of someone keeps it busy',
  NOSCRIPT: 'it lost a script between two commands: try again',
};

/** Whether Redis itself answered with an error, so that it is there and the command is settled. */
export function isReplyError(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/**
 * An error of the client as one of ours.
 *
 * @param place - where Redis is, for the message
 */
export function redisError(error: unknown, operation: string, place: string): CacheError {
  if (isCacheError(error)) return error;
  const message = messageOf(error);
  const cause = { cause: faultOf(error) };
  if (LOGIN.test(message)) {
    return new CacheConnectionError(
      `Redis at ${place} refuses ${operation} (${loginCode(message)}): check user name, password, and what the access control list allows`,
      cause,
    );
  }
  if (PROTOCOL.test(message)) {
    return new CacheConnectionError(
      `Something else than Redis answers at ${place}: check host and port, and whether the port expects TLS`,
      cause,
    );
  }
  if (!isReplyError(error)) {
    return new CacheConnectionError(
      `Redis at ${place} cannot be reached for ${operation}: ${message}`,
      cause,
    );
  }
  return replyError(message, operation, place, cause);
}

/** The error for what Redis answered, such as `OOM command not allowed`. */
export function replyError(
  message: string,
  operation: string,
  place: string,
  cause?: ErrorOptions,
): CacheBackendError {
  const code = REPLY_CODE.exec(message)?.[1] ?? 'ERR';
  const advice = ADVICE[code];
  return new CacheBackendError(
    advice === undefined
      ? `Redis at ${place} answered ${operation} with ${message.slice(0, 200)}`
      : `Redis at ${place} answered ${operation} with ${code}: ${advice}`,
    cause,
  );
}

/** A refused connection to a name with several addresses is an AggregateError, which has a code and no message. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? String((error as { code?: unknown }).code) : error.message;
}

function loginCode(message: string): string {
  return /\b(NOAUTH|WRONGPASS|NOPERM)\b/.exec(message)?.[1] ?? 'wrong password';
}

/**
 * What is passed on of the client's error. The error itself carries the command and its arguments: values, and for
 * `AUTH` the password.
 */
interface RedisFault {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}

function faultOf(error: unknown): RedisFault {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message } = error;
  const { code } = error as { code?: unknown };
  return { name, message, ...(typeof code === 'string' && { code }) };
}
