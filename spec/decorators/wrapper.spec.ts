import 'reflect-metadata';
import { expect } from 'chai';
import { CacheEvict, CacheManager, CachePut, Cacheable, silentLogger } from 'cachewell';
import { METHOD_ERROR } from './conformance/conformance-case.js';

// Both dialects call a decorator with what it is given; these are written for both.
type AnyDecorator = (...args: any[]) => any;

type Body = (this: unknown, ...args: unknown[]) => Promise<unknown>;

/** A decorator of somebody else's that changes the method, in either dialect. */
function foreign(change: (method: Body) => Body | void): AnyDecorator {
  return (target: unknown, _where: unknown, descriptor?: PropertyDescriptor) => {
    if (descriptor === undefined) return change(target as Body);
    return {
      ...descriptor,
      value: change(descriptor.value as Body) ?? (descriptor.value as unknown),
    };
  };
}

/** Sets metadata on the function, as many frameworks do. */
function Tagged(value: string): AnyDecorator {
  return foreign((method) => Reflect.defineMetadata('tag', value, method));
}

/** Wraps the method, and notes when it runs. */
function Noted(notes: string[], note: string): AnyDecorator {
  return foreign(
    (method) =>
      async function (this: unknown, ...args: unknown[]) {
        notes.push(note);
        return method.apply(this, args);
      },
  );
}

describe('A decorated method', () => {
  let manager: CacheManager;
  beforeEach(() => (manager = new CacheManager({ logger: silentLogger })));
  afterEach(() => manager.close());

  describe('as a function', () => {
    it('keeps its name and its length', () => {
      class Service {
        @Cacheable({ cache: 'a' })
        async find(_id: number, _kind: string, _rest = 1): Promise<number> {
          return 1;
        }
      }
      expect(Service.prototype.find.name).to.equal('find');
      expect(Service.prototype.find.length).to.equal(2);
    });

    it('stays a method: not enumerable, writable, configurable', () => {
      class Service {
        @Cacheable({ cache: 'a' })
        async find(): Promise<number> {
          return 1;
        }
      }
      const descriptor = Object.getOwnPropertyDescriptor(Service.prototype, 'find')!;
      expect(descriptor.enumerable).to.equal(false);
      expect(descriptor.writable).to.equal(true);
      expect(descriptor.configurable).to.equal(true);
    });

    it('keeps the properties that decorators below have given it, and those of decorators above', () => {
      const mark = Symbol('mark');
      const Marked = (value: string): AnyDecorator =>
        foreign((method) => void Object.assign(method, { [mark]: value, [value]: true }));
      class Service {
        @Marked('above')
        @CacheEvict({ cache: 'a' })
        @Marked('between')
        @Cacheable({ cache: 'a' })
        @Marked('below')
        async find(): Promise<number> {
          return 1;
        }
      }
      const find = Service.prototype.find as unknown as Record<PropertyKey, unknown>;
      expect(find[mark]).to.equal('above');
      expect([find['above'], find['between'], find['below']]).to.deep.equal([true, true, true]);
    });

    it('keeps metadata on the function, of decorators above, between and below', () => {
      class Below {
        @Cacheable({ cache: 'a' })
        @Tagged('below')
        async find(): Promise<number> {
          return 1;
        }
      }
      class Between {
        @CacheEvict({ cache: 'a' })
        @Tagged('between')
        @Cacheable({ cache: 'a' })
        async find(): Promise<number> {
          return 1;
        }
      }
      class Above {
        @Tagged('above')
        @Cacheable({ cache: 'a' })
        async find(): Promise<number> {
          return 1;
        }
      }
      expect(Reflect.getMetadata('tag', Below.prototype.find)).to.equal('below');
      expect(Reflect.getMetadata('tag', Between.prototype.find)).to.equal('between');
      expect(Reflect.getMetadata('tag', Above.prototype.find)).to.equal('above');
    });

    it('leaves metadata by class and name alone', () => {
      class Service {
        @Cacheable({ cache: 'a' })
        async find(): Promise<number> {
          return 1;
        }
      }
      Reflect.defineMetadata('route', '/find', Service.prototype, 'find');
      expect(Reflect.getMetadata('route', Service.prototype, 'find')).to.equal('/find');
    });
  });

  describe('between decorators of others', () => {
    it('is one operation list, when the other one in between only looks', async () => {
      const trace: string[] = [];
      class Service {
        readonly cacheManager = manager;
        @CacheEvict({ cache: 'a', allEntries: true, beforeInvocation: true })
        @Tagged('x')
        @Cacheable({ cache: 'a' })
        async find(_id: number): Promise<string> {
          trace.push('run');
          return 'value';
        }
      }
      manager.on('invalidate', ({ scope }) => trace.push(scope));
      manager.on('miss', () => trace.push('miss'));
      await new Service().find(1);
      expect(trace).to.deep.equal(['cache', 'miss', 'run']);
    });

    it('is two lists, when the other one in between wraps: each runs around what is below it', async () => {
      const notes: string[] = [];
      class Service {
        readonly cacheManager = manager;
        @CacheEvict({ cache: 'a', key: (id: number) => id, beforeInvocation: true })
        @Noted(notes, 'between')
        @Cacheable({ cache: 'a', key: (id: number) => id })
        async find(_id: number): Promise<string> {
          notes.push('run');
          return 'value';
        }
      }
      const service = new Service();
      await service.find(1);
      await service.find(1);
      expect(notes).to.deep.equal(['between', 'run', 'between', 'run']);
    });

    it('caches the work of a wrapper below, and not that of one above', async () => {
      const notes: string[] = [];
      class Service {
        readonly cacheManager = manager;
        @Noted(notes, 'above')
        @Cacheable({ cache: 'a' })
        @Noted(notes, 'below')
        async find(_id: number): Promise<string> {
          return 'value';
        }
      }
      const service = new Service();
      await service.find(1);
      await service.find(1);
      expect(notes).to.deep.equal(['above', 'below', 'above']);
    });
  });

  describe('when it is called', () => {
    it('has the instance as `this`, in the method and in functions of its options', async () => {
      class Service {
        readonly cacheManager = manager;
        constructor(readonly tenant: string) {}
        @Cacheable({
          cache: 'a',
          key(this: Service, id: number) {
            return [this.tenant, id];
          },
          tags(this: Service) {
            return [`tenant:${this.tenant}`];
          },
          unless(this: Service, result: string) {
            return result === this.tenant;
          },
        })
        async find(id: number): Promise<string> {
          return `${this.tenant}-${id}`;
        }
      }
      expect(await new Service('x').find(1)).to.equal('x-1');
      expect(await new Service('y').find(1)).to.equal('y-1');
      expect(await manager.cache('a').get(['x', 1])).to.equal('x-1');
      await manager.invalidateTags('tenant:x');
      expect(await manager.cache('a').get(['x', 1])).to.equal(undefined);
      expect(await manager.cache('a').get(['y', 1])).to.equal('y-1');
    });

    it('gives the very error that the method threw, at once or later', async () => {
      class Service {
        readonly cacheManager = manager;
        @Cacheable({ cache: 'a' })
        @CacheEvict({ cache: 'b' })
        async later(): Promise<number> {
          throw METHOD_ERROR;
        }
        @Cacheable({ cache: 'c' })
        atOnce(): Promise<number> {
          throw METHOD_ERROR;
        }
        @CachePut({ cache: 'd' })
        put(): Promise<number> {
          throw METHOD_ERROR;
        }
        @CacheEvict({ cache: 'e' })
        // What is thrown need not be an error.
        async text(): Promise<number> {
          // oxlint-disable-next-line typescript/only-throw-error
          throw 'text';
        }
      }
      const service = new Service();
      const thrown = async (call: Promise<unknown>): Promise<unknown> =>
        call.then(
          () => 'nothing was thrown',
          (error: unknown) => error,
        );
      expect(await thrown(service.later())).to.equal(METHOD_ERROR);
      expect(await thrown(service.atOnce())).to.equal(METHOD_ERROR);
      expect(await thrown(service.put())).to.equal(METHOD_ERROR);
      expect(await thrown(service.text())).to.equal('text');
    });

    it('passes all arguments on, those beyond the declared ones, too', async () => {
      let seen: unknown[] = [];
      class Service {
        readonly cacheManager = manager;
        @Cacheable({ cache: 'a' })
        async find(...args: unknown[]): Promise<number> {
          seen = args;
          return args.length;
        }
      }
      await new Service().find(1, undefined, null, 'x');
      expect(seen).to.deep.equal([1, undefined, null, 'x']);
    });

    it('is not moved by arguments that the method, or its caller, changes later', async () => {
      interface Query {
        id: number;
      }
      class Service {
        readonly cacheManager = manager;
        @Cacheable({
          cache: 'a',
          key: (query: Query) => query.id,
          tags: (query: Query) => [`id:${query.id}`],
        })
        @CacheEvict({ cache: 'b', key: (query: Query) => query.id })
        async find(query: Query): Promise<string> {
          query.id = 99;
          return 'value';
        }
      }
      await manager.cache('b').set(1, 'old');
      await new Service().find({ id: 1 });
      const lookup = await manager.cache('a').getEntry(1);
      expect(lookup.value).to.equal('value');
      expect(lookup.tags).to.deep.equal(['id:1']);
      expect(await manager.cache('b').has(1)).to.equal(false);
      const query = { id: 2 };
      const finding = new Service().find(query);
      query.id = 3;
      await finding;
      expect(await manager.cache('a').has(2)).to.equal(true);
    });

    it('works without `this`, with a manager of its own', async () => {
      class Service {
        @Cacheable({ cache: 'a', manager: () => manager })
        async find(id: number): Promise<string> {
          return `value ${id}`;
        }
      }
      const { find } = new Service();
      expect(await find(1)).to.equal('value 1');
      expect(await Reflect.apply(find, null, [1])).to.equal('value 1');
      expect(await Reflect.apply(find, 'primitive', [1])).to.equal('value 1');
      expect(manager.statistics().hits).to.equal(2);
    });

    it('works on frozen instances and through proxies', async () => {
      class Service {
        readonly cacheManager = manager;
        runs = 0;
        @Cacheable({ cache: 'a' })
        async find(id: number): Promise<string> {
          return `value ${id}`;
        }
      }
      expect(await Object.freeze(new Service()).find(1)).to.equal('value 1');
      expect(await new Proxy(new Service(), {}).find(1)).to.equal('value 1');
      expect(manager.statistics().hits).to.equal(1);
    });

    it('ignores a `cacheManager` property of another kind', async () => {
      class Service {
        readonly cacheManager = { get: () => 'not ours' };
        @Cacheable({ cache: 'a', manager: () => manager })
        async find(id: number): Promise<string> {
          return `value ${id}`;
        }
      }
      expect(await new Service().find(1)).to.equal('value 1');
      expect(manager.statistics().misses).to.equal(1);
    });
  });
});
