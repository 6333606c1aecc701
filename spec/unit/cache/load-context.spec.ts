import { expect } from 'chai';
import { currentLoad, currentScope, LoadContext, runLoad } from '#internal/cache/load-context.js';
import { LoadScope } from '#internal/cache/flight-table.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { Cacheable } from '#internal/decorators/cacheable.js';
import { CachePut } from '#internal/decorators/cache-put.js';
import { InvalidOptionError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';

describe('LoadContext', () => {
  it('collects tags, sorted and without doubles', () => {
    const context = new LoadContext();
    const { add } = context.tags;
    add('b', 'a');
    add('b');
    expect(context.addedTags).to.deep.equal(['a', 'b']);
  });

  it('refuses tags that are none', () => {
    expect(() => new LoadContext().tags.add('')).to.throw(InvalidOptionError);
    expect(() => new LoadContext().tags.add(1 as never)).to.throw(InvalidOptionError);
  });

  it('stores by default, with the ttl of the options', () => {
    const context = new LoadContext();
    expect([context.isStored, context.ttl]).to.deep.equal([true, undefined]);
    context.doNotStore();
    context.ttl = '1s';
    expect([context.isStored, context.ttl]).to.deep.equal([false, '1s']);
  });
});

describe('runLoad', () => {
  it('shows the context and the scope within, and nowhere else', async () => {
    const context = new LoadContext();
    const scope = new LoadScope();
    await runLoad(context, scope, async () => {
      await Promise.resolve();
      expect([currentLoad(), currentScope()]).to.deep.equal([context, scope]);
    });
    expect([currentLoad(), currentScope()]).to.deep.equal([undefined, undefined]);
  });

  it('counts a load that nobody can join as part of the one around it', async () => {
    const scope = new LoadScope();
    const inner = new LoadContext();
    await runLoad(new LoadContext(), scope, () =>
      runLoad(inner, undefined, async () => {
        expect(currentLoad()).to.equal(inner);
        expect(currentScope()).to.equal(scope);
      }),
    );
  });

  it('keeps the context of a load while others end, and forgets it after the last', async () => {
    const context = new LoadContext();
    let finish!: () => void;
    const first = runLoad(context, undefined, async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      return currentLoad();
    });
    await runLoad(new LoadContext(), undefined, () => Promise.reject(new Error('over'))).catch(
      () => undefined,
    );
    finish();
    expect(await first).to.equal(context);
    expect(currentLoad()).to.equal(undefined);
  });
});

describe('currentLoad', () => {
  it('is there in a method that runs because of a miss, and only then', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    const seen: unknown[] = [];
    class Service {
      readonly cacheManager = manager;
      @Cacheable({ cache: 'a', ttl: '1h' })
      async find(id: number): Promise<string> {
        await Promise.resolve();
        const load = currentLoad();
        seen.push(load === undefined);
        if (load !== undefined) load.ttl = '2s';
        load?.tags.add('adaptive');
        return `value ${id}`;
      }
      @Cacheable({ cache: 'b', condition: () => false })
      async uncached(): Promise<void | number> {
        seen.push(currentLoad() === undefined);
        return 1;
      }
      @CachePut({ cache: 'c' })
      async put(): Promise<number> {
        seen.push(currentLoad() === undefined);
        return 1;
      }
    }
    const service = new Service();
    await service.find(1);
    await service.uncached();
    await service.put();
    expect(seen).to.deep.equal([false, true, true]);
    expect(await manager.cache('a').ttl(1)).to.be.within(1_000, 2_000);
    expect((await manager.cache('a').getEntry(1)).tags).to.deep.equal(['adaptive']);
  });
});
