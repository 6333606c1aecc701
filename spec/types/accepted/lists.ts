import { Cacheable } from 'cachewell';
import { users, type User } from '../user-model.js';

export class Lists {
  @Cacheable({ each: { arg: 0 } })
  async map(ids: readonly number[]): Promise<Map<number, User>> {
    void ids;
    return new Map();
  }

  @Cacheable({
    each: { arg: 0 },
    unless: (user: User, ids: readonly number[]) => user.id === ids[0],
  })
  async readonlyMap(ids: number[]): Promise<ReadonlyMap<number, User>> {
    void ids;
    return new Map();
  }

  @Cacheable({
    each: { arg: 1 },
    tags: (tenant: string, ids: number[]) => [tenant, String(ids.length)],
  })
  async list(tenant: string, ids: number[]): Promise<(User | undefined)[]> {
    void [tenant, ids];
    return [];
  }

  @Cacheable({
    each: { arg: 0, idOf: (user: User) => user.email },
    ttl: (user: User, emails: string[]) => user.id + emails.length,
    tagsOf: (user: User) => [user.email],
  })
  async items(emails: string[], isDeep = false): Promise<readonly User[]> {
    void [emails, isDeep];
    return [];
  }

  @Cacheable({
    cache: users,
    each: { arg: 0, idOf: (user: User) => user.id },
    unless: (user: User) => user.id === 0,
  })
  async holes(ids: number[]): Promise<(User | null)[]> {
    void ids;
    return [];
  }
}
