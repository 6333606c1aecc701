import { expect } from 'chai';
import {
  looksLikeFile,
  MAX_PATH_DEPTH,
  MAX_PATH_LENGTH,
  MAX_QUERY_PARAMETERS,
  refusedTarget,
  type TargetRefusal,
} from '#internal/http/request-target.js';

describe('refusedTarget', () => {
  const accepted = [
    '/',
    '/?',
    '/items',
    '/items/',
    '/Items/42',
    '/a.b/c-d/_e',
    '/caf%C3%A9',
    '/a%20b',
    '/100%25',
    '/100%25x',
    "/a:b/*/[x]/!$&'()+,=@~",
    '/.well-known/jwks',
    '/..a/b..',
    '/items?a=/../x&b=;&c=%00&d=%2F&e=\\',
    '/items?%zz',
    `/${'a'.repeat(MAX_PATH_LENGTH - 1)}`,
    '/a'.repeat(MAX_PATH_DEPTH),
    `${'/a'.repeat(MAX_PATH_DEPTH)}/`,
    `/?${Array(MAX_QUERY_PARAMETERS).fill('a').join('&')}`,
  ];
  for (const target of accepted) {
    it(`accepts ${target.slice(0, 60)}`, () => {
      expect(refusedTarget(target)).to.equal(undefined);
    });
  }

  const refused: readonly (readonly [target: string, refusal: TargetRefusal])[] = [
    ['', 'form'],
    ['*', 'form'],
    ['?a=1', 'form'],
    ['items', 'form'],
    ['http://api.example.com/items', 'form'],
    ['/items#part', 'form'],
    ['/items?a=1#part', 'form'],
    ['/a b', 'control'],
    ['/a\u00e9', 'control'],
    ['/a\u00a0', 'control'],
    ['/a\0', 'control'],
    ['/items?a=\t', 'control'],
    ['/items?a=\u00e9', 'control'],
    ['/account%00.css', 'control'],
    ['/account%0d%0a', 'control'],
    ['/account%7F', 'control'],
    ['/a\\b', 'backslash'],
    ['/a%5cb', 'backslash'],
    ['//evil.example/x', 'empty-segment'],
    ['/a//b', 'empty-segment'],
    ['/a//', 'empty-segment'],
    ['/./a', 'dot-segment'],
    ['/a/..', 'dot-segment'],
    ['/a/../b', 'dot-segment'],
    ['/a/.?x', 'dot-segment'],
    ['/a/%2e%2e/b', 'dot-segment'],
    ['/account%2Ecss', 'dot-segment'],
    ['/account%2Fx.css', 'encoded-slash'],
    ['/account%2fx.css', 'encoded-slash'],
    ['/account;x.css', 'matrix'],
    ['/account%3Bx.css', 'matrix'],
    ['/account%23x.css', 'encoded-delimiter'],
    ['/account%3Fx.css', 'encoded-delimiter'],
    ['/account%252Fx.css', 'double-encoding'],
    ['/account%2500', 'double-encoding'],
    ['/account%', 'malformed'],
    ['/account%2', 'malformed'],
    ['/account%zz', 'malformed'],
    ['/account%C0%AFx', 'malformed'],
    ['/account%FF', 'malformed'],
    [`/${'a'.repeat(MAX_PATH_LENGTH)}`, 'too-long'],
    ['/a'.repeat(MAX_PATH_DEPTH + 1), 'too-deep'],
    [
      `/?${Array(MAX_QUERY_PARAMETERS + 1)
        .fill('a')
        .join('&')}`,
      'too-many-parameters',
    ],
    [`/?${'&'.repeat(MAX_QUERY_PARAMETERS)}`, 'too-many-parameters'],
  ];
  for (const [target, refusal] of refused) {
    it(`refuses ${JSON.stringify(target.slice(0, 60))} as ${refusal}`, () => {
      expect(refusedTarget(target)).to.equal(refusal);
    });
  }

  it('takes time in proportion to the length of the target, whatever it holds', () => {
    const hostile = ['/a', '/.', '%2', '%25', '/-.', '&', '//', '..', '%C3'];
    for (const unit of hostile) {
      const target = `/${unit.repeat(500_000)}`;
      const startedAt = performance.now();
      refusedTarget(target);
      refusedTarget(`/a?${target}`);
      // A quadratic scan of a megabyte takes minutes.
      expect(performance.now() - startedAt, unit).to.be.lessThan(2_000);
    }
  });
});

describe('looksLikeFile', () => {
  for (const target of [
    '/account/x.css',
    '/x.js?v=1',
    '/a/b.woff2',
    '/x.PNG',
    '/a.css/',
    '/.env',
  ]) {
    it(`is true of ${target}`, () => {
      expect(looksLikeFile(target)).to.equal(true);
    });
  }

  for (const target of [
    '/',
    '/account',
    '/v1.2',
    '/a.css/b',
    '/items?x=a.css',
    '/a.',
    '/a.sixsix',
  ]) {
    it(`is false of ${target}`, () => {
      expect(looksLikeFile(target)).to.equal(false);
    });
  }
});
