import { CacheEvict, CachePut, Cacheable, Caching, type CacheManager } from 'cachewell';
import { cachingOptions, type Asked, type OperationSpec } from './operation-spec.js';

/** How operations come onto a method: by one `@Caching`, or by one decorator each, the first on top. */
export type Style = 'caching' | 'stacked';

export interface Host {
  answer(...args: readonly number[]): Promise<unknown>;
}

// Both dialects call decorators with what they are given; the types of a method made from data say nothing.
type AnyDecorator = (...args: any[]) => any;

const SINGLE: Readonly<Record<OperationSpec['kind'], (options: object) => unknown>> = {
  cacheable: (options) => Cacheable(options),
  put: (options) => CachePut(options),
  evict: (options) => CacheEvict(options),
};

/** An instance whose one method carries the operations, in the dialect that this file was compiled for. */
export function decoratedHost(
  operations: readonly OperationSpec[],
  style: Style,
  manager: CacheManager,
  body: (...args: readonly number[]) => Promise<unknown>,
  asked: Asked,
): Host {
  const decorator =
    style === 'caching'
      ? (Caching(cachingOptions(operations, asked)) as unknown as AnyDecorator)
      : stacked(operations, asked);
  class Service implements Host {
    readonly cacheManager = manager;

    @decorator
    async answer(...args: readonly number[]): Promise<unknown> {
      return body(...args);
    }
  }
  return new Service();
}

/** Applies one decorator for each operation, the last first, as the compiler does with a column of them. */
function stacked(operations: readonly OperationSpec[], asked: Asked): AnyDecorator {
  const decorators = operations.map((operation, index) => {
    const options = cachingOptions([operation], asked, index)[operation.kind] as readonly object[];
    return SINGLE[operation.kind](options[0]!) as AnyDecorator;
  });
  return (target: unknown, where: unknown, descriptor: unknown) =>
    decorators.reduceRight<unknown>(
      (decorated, decorator) =>
        descriptor === undefined
          ? decorator(decorated, where)
          : decorator(target, where, decorated),
      descriptor === undefined ? target : descriptor,
    );
}
