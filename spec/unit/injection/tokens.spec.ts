import 'reflect-metadata';
import { expect } from 'chai';
import { container } from 'tsyringe';
import * as tokens from '#internal/injection/tokens.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';

describe('tokens', () => {
  it('are symbols that every copy of the package agrees on', () => {
    for (const [name, token] of Object.entries(tokens)) {
      expect(token).to.equal(Symbol.for(`cachewell.${name}`));
    }
    expect(Object.keys(tokens).sort()).to.deep.equal([
      'CacheBackend',
      'CacheClock',
      'CacheCodec',
      'CacheCompressor',
      'CacheLogger',
      'CacheOptions',
    ]);
  });

  it('are not constructed by mistake, when nothing is registered', () => {
    const child = container.createChildContainer();
    expect(() => child.resolve(tokens.CacheCodec)).to.throw();
  });

  it('are types as well', () => {
    const child = container.createChildContainer();
    child.register(tokens.CacheBackend, MemoryBackend);
    const backend: tokens.CacheBackend = child.resolve(tokens.CacheBackend);
    expect(backend.name).to.equal('memory');
  });
});
