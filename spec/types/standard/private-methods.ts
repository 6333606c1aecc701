import { Cacheable } from 'cachewell';
import { loadUser, type User } from '../user-model.js';

/** Private names can be decorated under TC39 only. */
export class Private {
  readonly #tenant = 'a';

  @Cacheable({
    cache: 'private',
    key(this: Private, id: number) {
      return [this.#tenant, id];
    },
  })
  async #find(id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable({ cache: 'private-static', key: (id: number) => id })
  static async #count(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ cache: 'private-wrong', key: (id: string) => id })
  async #wrong(id: number): Promise<User> {
    return loadUser(id);
  }

  async use(): Promise<unknown> {
    return [await this.#find(1), await Private.#count(1), await this.#wrong(1)];
  }
}

/** The decorator gives back the method's own type, so that decorators can be composed by hand. */
export function traced(
  method: (this: Private, id: number) => Promise<User>,
  context: ClassMethodDecoratorContext<Private, (this: Private, id: number) => Promise<User>>,
): (this: Private, id: number) => Promise<User> {
  return Cacheable({ key: (id: number) => id })(method, context);
}
