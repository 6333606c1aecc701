/** One whole reply or push, as it stood on the wire. */
export interface RespFrame {
  readonly bytes: Buffer;
  /** Its first byte, such as `>` for a push of RESP3. */
  readonly type: string;
}

const LF = 0x0a;
/** Kinds that end with their line. */
const LINES = '+-:_#,(';
/** Kinds whose line tells how many bytes follow. */
const BULKS = '$=!';
/** Kinds whose line tells how many replies follow. */
const AGGREGATES = '*~>';
/** Kinds whose line tells how many pairs of replies follow. */
const PAIRS = '%|';
const KINDS = LINES + BULKS + AGGREGATES + PAIRS;

/** How many characters a line that tells a number has at most. */
const LONGEST_COUNT = 64;

/**
 * Splits what a Redis server sends into whole replies, RESP2 and RESP3 alike. Attributes belong to the reply after
 * them.
 *
 * Bytes that are no RESP, such as those of a TLS handshake, come through as they are: from the first one on the
 * stream counts as opaque, and each chunk is a frame of the type `''`.
 */
export class RespSplitter {
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** How many bytes there must be before it is worth looking again. */
  #needed = 1;
  /** Where the next line begins; what is before it belongs to the frame under way. */
  #position = 0;
  /** For each open aggregate the replies that it still lacks; the innermost one last. */
  #open: number[] = [];
  #isOpaque = false;

  /** Whether the stream turned out not to be RESP. */
  get isOpaque(): boolean {
    return this.#isOpaque;
  }

  /** Takes the next bytes, and gives the frames that they complete. */
  push(chunk: Buffer): readonly RespFrame[] {
    if (this.#isOpaque) return [{ bytes: chunk, type: '' }];
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    if (this.#buffered < this.#needed) return [];
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#buffered);
    return this.#split(bytes);
  }

  /** Gives what has come of a frame that is not complete. */
  rest(): Buffer {
    return Buffer.concat(this.#chunks, this.#buffered);
  }

  #split(bytes: Buffer): readonly RespFrame[] {
    const frames: RespFrame[] = [];
    let begin = 0;
    for (;;) {
      const end = this.#scan(bytes);
      if (end === undefined) break;
      frames.push({ bytes: bytes.subarray(begin, end), type: String.fromCharCode(bytes[begin]!) });
      begin = end;
    }
    const rest = bytes.subarray(begin);
    this.#position -= begin;
    this.#needed -= begin;
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#buffered = rest.length;
    if (!this.#isOpaque) return frames;
    this.#chunks = [];
    this.#buffered = 0;
    return rest.length === 0 ? frames : [...frames, { bytes: rest, type: '' }];
  }

  /** The end of the frame under way; `undefined` when bytes are missing, or it is none. */
  #scan(bytes: Buffer): number | undefined {
    for (;;) {
      const line = this.#position;
      const feed = bytes.indexOf(LF, line);
      const type = line < bytes.length ? String.fromCharCode(bytes[line]!) : '';
      if (!KINDS.includes(type)) {
        this.#isOpaque = true;
        return undefined;
      }
      if (feed < 0) {
        // A line that tells a number is short. What does not end within this is something else.
        this.#isOpaque = bytes.length - line > LONGEST_COUNT && !LINES.includes(type);
        this.#needed = bytes.length + 1;
        return undefined;
      }
      let children = 0;
      let end = feed + 1;
      if (!LINES.includes(type)) {
        const count = Number(bytes.toString('latin1', line + 1, feed).trimEnd());
        if (!Number.isInteger(count) || count < -1) {
          this.#isOpaque = true;
          return undefined;
        }
        if (BULKS.includes(type)) end += count < 0 ? 0 : count + 2;
        else if (AGGREGATES.includes(type)) children = Math.max(0, count);
        else children = 2 * Math.max(0, count) + (type === '|' ? 1 : 0);
      }
      if (end > bytes.length) {
        this.#needed = end;
        return undefined;
      }
      this.#position = end;
      if (children > 0) this.#open.push(children);
      else if (this.#closesFrame()) return end;
    }
  }

  /** Counts a reply without children as complete, and says whether the whole frame is. */
  #closesFrame(): boolean {
    while (this.#open.length > 0) {
      const left = this.#open.pop()! - 1;
      if (left === 0) continue;
      this.#open.push(left);
      return false;
    }
    return true;
  }
}
