import { Cacheable, CacheConfig, CacheEvict, CachePut } from 'cachewell';
import { loadUser, type User } from '../user-model.js';

/** A foreign decorator that serves both dialects and checks nothing. */
function logged(...args: any[]): any {
  return args[2];
}

/** A foreign decorator with options, as most are. */
function retry(times: number): (...args: any[]) => any {
  return (...args) => args[times];
}

export class Stacked {
  @CacheEvict({ cache: 'lists', allEntries: true })
  @CachePut({ cache: 'by-email', keyOf: (user: User) => user.email })
  @Cacheable({ cache: 'by-id', key: (id: number) => id })
  async find(id: number): Promise<User> {
    return loadUser(id);
  }

  @logged
  @Cacheable({ key: (id: number) => id })
  @retry(3)
  @CacheEvict({ key: (id: number) => id })
  async mixed(id: number): Promise<User> {
    return loadUser(id);
  }
}

const composed: MethodDecorator = Cacheable({ ttl: '1m' });
export const composedStandard: (
  method: (...args: never[]) => unknown,
  context: ClassMethodDecoratorContext,
) => void = Cacheable({ ttl: '1m' });

/** Options that are shared by a decorator of one's own keep their checks. */
export const CachedById = (cache: string) => Cacheable({ cache, key: (id: number) => id });

export class Composed {
  @CachedById('users')
  async find(id: number): Promise<User> {
    return loadUser(id);
  }
}

export const forReflection: readonly MethodDecorator[] = [composed, CacheEvict(), CachePut()];

export const classDecorator: ClassDecorator = CacheConfig({ cache: 'users' });
