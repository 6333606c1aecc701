import { expect } from 'chai';
import express from 'express';
import { InvalidOptionError } from '#internal/errors.js';
import {
  bearerAuth,
  cacheAdmin,
  cacheHealth,
  httpCache,
  httpInvalidation,
  rateLimit,
  setupCache,
} from '#internal/express/index.js';
import { CacheManager } from '#internal/manager/cache-manager.js';

const auth = bearerAuth('0123456789abcdef0123456789abcdef');
let limiters = 0;

const MAKERS: readonly (readonly [owner: string, make: (manager: never) => unknown])[] = [
  ['httpCache', (manager) => httpCache({ manager })],
  ['httpInvalidation', (manager) => httpInvalidation({ manager })],
  ['rateLimit', (manager) => rateLimit('5/s', { manager, name: `manager-${limiters++}` })],
  ['cacheAdmin', (manager) => cacheAdmin({ manager, auth })],
  ['cacheHealth', (manager) => cacheHealth({ manager })],
  ['setupCache', (manager) => setupCache(express(), { manager })],
];

describe('the option manager', () => {
  for (const [owner, make] of MAKERS) {
    describe(owner, () => {
      for (const wrong of [null, {}, 'main', 5, []]) {
        it(`refuses ${JSON.stringify(wrong)} when it is made, not at the first request`, () => {
          expect(() => make(wrong as never))
            .to.throw(InvalidOptionError, 'expected a CacheManager')
            .with.property('option', `${owner}.manager`);
        });
      }

      it('takes a manager', async () => {
        await using manager = new CacheManager();
        expect(() => make(manager as never)).not.to.throw();
      });

      const isOne = owner === 'setupCache';
      it(`${isOne ? 'refuses' : 'takes, and does not call yet,'} a function`, () => {
        let calls = 0;
        const find = (): void => void calls++;
        if (isOne)
          expect(() => make(find as never)).to.throw(InvalidOptionError, 'setupCache.manager');
        else make(find as never);
        expect(calls).to.equal(0);
      });
    });
  }
});
