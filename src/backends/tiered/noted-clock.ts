import type { CacheClock } from '../../clock.js';

/**
 * The clock of the process' own tier, which notes what it has read.
 *
 * A hit needs the time twice: the own tier judges the entry, then its trust is judged. Reading a clock costs a good part
 * of a hit, so the second judgement takes the reading of the first, as long as both belong to one synchronous step.
 */
export class NotedClock implements CacheClock {
  private readonly source: CacheClock;
  // Two fields of one type each: a field that is a number or nothing would be boxed anew at each reading.
  private reading = 0;
  private isRead = false;

  constructor(source: CacheClock) {
    this.source = source;
  }

  now(): number {
    this.isRead = true;
    return (this.reading = this.source.now());
  }

  /** A synchronous step begins: what was read before does not count. */
  start(): void {
    this.isRead = false;
  }

  /** The time that was read since `start`, or else that of now. */
  latest(): number {
    return this.isRead ? this.reading : this.source.now();
  }
}
