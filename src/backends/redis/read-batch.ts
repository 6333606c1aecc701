import type { RedisLike } from './redis-like.js';

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Longer commands would keep other clients waiting. */
const MOST_KEYS = 100;

/**
 * Joins the reads of one cache that begin in the same turn of the event loop into one command. A read that is alone waits
 * for nothing but the end of the running callbacks.
 */
export abstract class ReadBatch<Reply, Answer> {
  #client: RedisLike | undefined;
  #names: string[] = [];
  #waiting: Waiting<Answer>[] = [];

  read(client: RedisLike, name: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#names.push(name);
      this.#waiting.push({ resolve, reject });
      this.#client = client;
      if (this.#names.length === 1) process.nextTick(this.#sendAll);
      else if (this.#names.length === MOST_KEYS) this.#flush();
    });
  }

  /** One command for all of them. A name may come several times. */
  protected abstract send(client: RedisLike, names: readonly string[]): Promise<Reply>;

  /** What a reply says about the name at a place. */
  protected abstract answer(reply: Reply, index: number, count: number): Answer;

  readonly #sendAll = (): void => {
    if (this.#names.length > 0) this.#flush();
  };

  #flush(): void {
    const names = this.#names;
    const waiting = this.#waiting;
    this.#names = [];
    this.#waiting = [];
    this.send(this.#client!, names).then(
      (reply) => {
        for (let index = 0; index < waiting.length; index++) {
          waiting[index]!.resolve(this.answer(reply, index, waiting.length));
        }
      },
      (error: unknown) => {
        for (const { reject } of waiting) reject(error);
      },
    );
  }
}
