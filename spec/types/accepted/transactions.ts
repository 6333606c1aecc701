import { CacheEvict, CacheManager, CachePut, Transactional, type Propagation } from 'cachewell';
import { loadUser, type User } from '../user-model.js';

const propagation: Propagation = 'join';

export class Transactions<Key extends number> {
  @Transactional()
  async plain(): Promise<void> {}

  @Transactional({ propagation, manager: () => new CacheManager() })
  async generic<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  @Transactional({ propagation: 'new' })
  @CachePut({ key: (user: User) => user.id })
  async above(user: User): Promise<User> {
    return user;
  }

  @CacheEvict({ key: (id: Key) => id })
  @Transactional()
  async below(id: Key): Promise<User> {
    return loadUser(id);
  }

  @Transactional()
  static async ofClass(): Promise<number> {
    return 1;
  }
}

export async function results(manager: CacheManager): Promise<readonly [number, string]> {
  const first: number = await manager.transaction(async () => 1);
  const second: string = await manager.transaction(() => 'at once', { propagation: 'join' });
  return [first, second];
}
