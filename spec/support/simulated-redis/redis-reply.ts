/** A reply such as `OK`. */
export class StatusReply {
  constructor(readonly text: string) {}
}

/** What Redis refuses a command with; ioredis rejects with an error of this name. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** What a command answers. The characters of a text are bytes. */
export type Reply = string | number | null | StatusReply | ReplyError | readonly Reply[];

export const OK: StatusReply = new StatusReply('OK');

export const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

/** A whole number in an argument. @throws ReplyError */
export function integerOf(text: string): number {
  if (/^-?\d{1,18}$/.test(text)) return Number(text);
  throw new ReplyError('ERR value is not an integer or out of range');
}

/** Any number in an argument. @throws ReplyError */
export function floatOf(text: string): number {
  const lower = text.toLowerCase();
  if (lower === '+inf' || lower === 'inf') return Infinity;
  if (lower === '-inf') return -Infinity;
  const number = text.trim() === '' ? NaN : Number(text);
  if (!Number.isNaN(number)) return number;
  throw new ReplyError('ERR value is not a valid float');
}
