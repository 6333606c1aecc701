import { expect } from 'chai';
import {
  CacheConfig,
  CacheEvict,
  CacheManager,
  CachePut,
  Cacheable,
  Caching,
  DecoratorUsageError,
  InvalidOptionError,
  cacheable,
  silentLogger,
} from 'cachewell';

// Wrong uses do not compile, so they are made without types.
type Untyped = (...args: any[]) => any;

describe('Misuse of a decorator', () => {
  const refused = (options: object, decorator: Untyped = Cacheable): Error => {
    try {
      class Service {
        @(decorator(options) as Untyped)
        async find(id: number): Promise<number> {
          return id;
        }
      }
      expect.fail(`${Service.name} was accepted with ${JSON.stringify(options)}`);
    } catch (error) {
      return error as Error;
    }
  };

  it('is reported when the class is defined, with the option and the member', () => {
    const error = refused({ cahce: 'users' });
    expect(error).to.be.instanceOf(InvalidOptionError);
    expect(error.message).to.equal(
      "@Cacheable on 'find'.cahce: there is no such option; did you mean 'cache'?",
    );
  });

  const WRONG: readonly (readonly [title: string, decorator: Untyped, options: object, RegExp])[] =
    [
      ['a ttl that is no duration', Cacheable, { ttl: '10 minutes' }, /ttl: expected a duration/],
      ['a negative ttl', Cacheable, { ttl: -1 }, /ttl: expected a duration/],
      ['a key that is no function', Cacheable, { key: 'id' }, /key: expected a function/],
      ['an empty list of caches', Cacheable, { cache: [] }, /cache: expected at least one cache/],
      ['a cache without a name', Cacheable, { cache: '' }, /cache: expected a text/],
      ['a jitter above 1', Cacheable, { jitter: 2 }, /jitter: expected a number from 0 to 1/],
      ['an unknown sync', Cacheable, { sync: 'global' }, /sync: expected/],
      ['an unknown onError', CachePut, { onError: 'ignore' }, /onError: expected/],
      ['tags that are no list', CachePut, { tags: 'a' }, /tags: expected a list of tags/],
      ['each without a position', Cacheable, { each: {} }, /each\.arg: expected a whole number/],
      ['keyOf on @Cacheable', Cacheable, { keyOf: () => 1 }, /keyOf: there is no such option/],
      [
        'unless on @CacheEvict',
        CacheEvict,
        { unless: () => true },
        /unless: there is no such option/,
      ],
      [
        'allEntries that is no boolean',
        CacheEvict,
        { allEntries: 1 },
        /allEntries: expected true or false/,
      ],
      [
        'an unknown part of @Caching',
        Caching,
        { evicts: [] },
        /evicts: there is no such option; did you mean 'evict'/,
      ],
      [
        'a wrong option within @Caching',
        Caching,
        { evict: [{ kye: () => 1 }] },
        /kye: there is no such option; did you mean 'key'/,
      ],
      [
        'a compressor that is none',
        Cacheable,
        { compress: {} },
        /compress: expected a CacheCompressor/,
      ],
      ['a codec that is none', Cacheable, { codec: {} }, /codec: expected a CacheCodec/],
      [
        'cacheErrors without a class',
        Cacheable,
        { cacheErrors: [{}] },
        /cacheErrors\[0\]\.error: expected a function/,
      ],
    ];
  for (const [title, decorator, options, message] of WRONG) {
    it(`refuses ${title}`, () => {
      const error = refused(options, decorator);
      expect(error).to.be.instanceOf(InvalidOptionError);
      expect(error.message).to.match(message);
    });
  }

  const CONTRADICTIONS: readonly (readonly [decorator: Untyped, options: object])[] = [
    [Cacheable, { key: () => 1, keyGenerator: () => 1 }],
    [Cacheable, { key: () => 1, each: { arg: 0 } }],
    [Cacheable, { cacheErrors: [{ error: RangeError }], each: { arg: 0 } }],
    [CachePut, { key: () => 1, keyOf: () => 1 }],
    [CacheEvict, { key: () => 1, keys: () => [1] }],
    [CacheEvict, { keyOf: () => 1, beforeInvocation: true }],
    [CacheEvict, { allEntries: true, key: () => 1 }],
    [CacheEvict, { allEntries: true, pattern: '*' }],
  ];
  for (const [decorator, options] of CONTRADICTIONS) {
    it(`refuses ${Object.keys(options).join(' beside ')}`, () => {
      const error = refused(options, decorator);
      expect(error).to.be.instanceOf(DecoratorUsageError);
      expect(error.message).to.contain('exclude each other');
    });
  }

  it('accepts an excluded option that is switched off, or undefined', () => {
    class Service {
      @(CacheEvict({ allEntries: false, key: (id: number) => id }) as Untyped)
      async remove(_id: number): Promise<void> {}
      @(CacheEvict({ allEntries: true, key: undefined }) as Untyped)
      async clear(): Promise<void> {}
    }
    expect(Service.prototype.remove).to.be.a('function');
  });

  it('refuses members that are no methods', () => {
    const accessor = { get: () => 1, configurable: true };
    const contexts: readonly (readonly unknown[])[] = [
      [undefined, { kind: 'field', name: 'value' }],
      [() => 1, { kind: 'getter', name: 'value' }],
      [class Service {}, { kind: 'class', name: 'Service' }],
      [{}, 'value', accessor],
      [{}, 'value', undefined],
      [class Service {}],
      [{}, 'method', 0],
    ];
    for (const context of contexts) {
      expect(() => (Cacheable() as unknown as Untyped)(...context)).to.throw(
        DecoratorUsageError,
        'it decorates methods only',
      );
    }
  });

  it('refuses @CacheConfig on members, static ones too', () => {
    const contexts: readonly (readonly unknown[])[] = [
      [() => 1, { kind: 'method', name: 'find' }],
      [{}, 'find', {}],
      [class Service {}, 'find', {}],
    ];
    for (const context of contexts) {
      expect(() => (CacheConfig({ cache: 'a' }) as unknown as Untyped)(...context))
        .to.throw(DecoratorUsageError, 'it decorates classes only')
        .that.has.property('member', 'find');
    }
  });

  it('refuses wrong options of @CacheConfig when the class is defined', () => {
    expect(() => (CacheConfig({ tll: '1m' } as never) as Untyped)(class Service {})).to.throw(
      InvalidOptionError,
      "@CacheConfig on 'Service'.tll: there is no such option; did you mean 'ttl'?",
    );
  });

  it('rejects, when the method gives no promise', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    const find = (cacheable as Untyped)(() => 1, { cache: 'sync', manager }) as Untyped;
    const error = await (find() as Promise<unknown>).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(DecoratorUsageError);
    expect((error as Error).message).to.contain('make it async');
  });
});
