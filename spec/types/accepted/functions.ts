import { cacheable, cacheEvict, cachePut } from 'cachewell';
import { loadUser, type Entity, type User } from '../user-model.js';

/** Fails to compile unless both types are the same. */
type Same<Left, Right> =
  (<Probe>() => Probe extends Left ? 1 : 2) extends <Probe>() => Probe extends Right ? 1 : 2
    ? true
    : false;
export function expectSame<Left, Right>(same: Same<Left, Right>): void {
  void same;
}

const find = cacheable(loadUser);
expectSame<typeof find, typeof loadUser>(true);

const rate = cacheable(async (currency: string) => (currency === 'EUR' ? 1 : 1.1), {
  cache: 'rates',
  key: (currency: string) => currency,
  unless: (result: number) => result === 0,
  ttl: '1h',
});
expectSame<typeof rate, (currency: string) => Promise<1 | 1.1>>(true);

const first = cacheable(async <Value extends Entity>(values: Value[]) => values[0], {
  key: (values: Entity[]) => values.length,
});
expectSame<typeof first, <Value extends Entity>(values: Value[]) => Promise<Value | undefined>>(
  true,
);

export const save = cachePut(async (user: User) => user, {
  cache: 'users',
  keyOf: (saved: User, given: User) => [saved.id, given.id],
});

export const remove = cacheEvict(async (id: number) => void id, {
  cache: 'users',
  key: (id: number) => id,
});

export const clear = cacheEvict(async () => {}, { cache: 'users', allEntries: true });

export const bound = cacheable(
  async function (this: { readonly tenant: string }, id: number) {
    return `${this.tenant}${id}`;
  },
  {
    key: function (this: { readonly tenant: string }, id: number) {
      return [this.tenant, id];
    },
  },
);
