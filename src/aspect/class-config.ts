import type { CacheConfigOptions } from './operation-options.js';

const configs = new WeakMap<object, CacheConfigOptions>();

/** Keeps the options of `@CacheConfig` of a class. */
export function setClassConfig(owner: object, config: CacheConfigOptions): void {
  configs.set(owner, config);
}

/**
 * The configuration of a class with what it inherits; the subclass' options win. Looked up when it is needed, for
 * a class decorator runs after those of its methods.
 */
export function classConfigOf(owner: object | null): CacheConfigOptions {
  const chain: CacheConfigOptions[] = [];
  for (let each = owner; typeof each === 'function'; each = Object.getPrototypeOf(each) as object) {
    const config = configs.get(each);
    if (config !== undefined) chain.unshift(config);
  }
  return Object.assign({}, ...chain.map(withoutUndefined)) as CacheConfigOptions;
}

function withoutUndefined(config: CacheConfigOptions): Partial<CacheConfigOptions> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}
