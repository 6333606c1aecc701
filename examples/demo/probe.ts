import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage<Probe>();

/** Follows one call of the service, to tell a hit from a call that ran the method. */
export class Probe {
  #isLoaded = false;

  static current(): Probe | undefined {
    return storage.getStore();
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  loaded(): void {
    this.#isLoaded = true;
  }

  run<Result>(call: () => Promise<Result>): Promise<Result> {
    return storage.run(this, call);
  }
}
