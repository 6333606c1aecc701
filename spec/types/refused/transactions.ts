import { Transactional, type CacheManager } from 'cachewell';

export class Transactions {
  // @ts-expect-error it must be async: a cached method returns a promise
  @Transactional()
  synchronous(): number {
    return 1;
  }

  // @ts-expect-error it must be async: a cached method returns a promise
  @Transactional({ propagation: 'join' })
  nothing(): void {}

  // @ts-expect-error Type '"nested"' is not assignable to type 'Propagation
  @Transactional({ propagation: 'nested' })
  async nested(): Promise<void> {}

  // @ts-expect-error Object literal may only specify known properties, and 'cache'
  @Transactional({ cache: 'users' })
  async caching(): Promise<void> {}

  // @ts-expect-error only a method can be decorated, not this field
  @Transactional()
  field = 1;
}

export async function misuse(manager: CacheManager): Promise<void> {
  // @ts-expect-error Argument of type 'Promise<number>' is not assignable to parameter of type '() =>
  await manager.transaction(Promise.resolve(1));
  // @ts-expect-error Object literal may only specify known properties, and 'isolation'
  await manager.transaction(async () => 1, { isolation: 'serializable' });
}
