import { expect } from 'chai';
import express from 'express';
import fc from 'fast-check';
import { isHashedKey, boundedKeyText } from '#internal/cache/key-hash.js';
import { compilePattern } from '#internal/cache/key-pattern.js';
import { escapeKeyComponent } from '#internal/http/key-component.js';
import { queryFilter } from '#internal/http/query-parameters.js';
import { responseKey } from '#internal/http/response-key.js';

function keyOf(target: string): string {
  return responseKey({ method: 'GET', target });
}

type QueryParser = (query: string) => unknown;

/** The very functions that Express' `req.query` uses. */
function expressParser(kind: 'simple' | 'extended'): QueryParser {
  return express().set('query parser', kind).get('query parser fn') as QueryParser;
}

describe('responseKey', () => {
  const golden: readonly (readonly [target: string, key: string])[] = [
    ['/items?limit=10&page=1&sort=name', 'GET:items:limit=10:page=1:sort=name'],
    ['/items?sort=name&page=1&limit=10', 'GET:items:limit=10:page=1:sort=name'],
    ['/spaces/123/items/456', 'GET:spaces:123:items:456'],
    ['/', 'GET:'],
    ['/?a=1', 'GET::a=1'],
    ['/items/', 'GET:items:'],
    ['/items/?a=1', 'GET:items::a=1'],
    ['//x', 'GET::x'],
    ['/Items', 'GET:Items'],
    ['/items?', 'GET:items:=()'],
    ['/items?a', 'GET:items:a=()'],
    ['/items?a=', 'GET:items:a='],
    ['/items?=a', 'GET:items:=a'],
    ['/items?a=b=c', 'GET:items:a=b%3Dc'],
    ['/items?a=2&a=1', 'GET:items:a=2:a=1'],
    ['/items?a=1:b=2', 'GET:items:a=1%3Ab%3D2'],
    ['/items?a=1;b=2', 'GET:items:a=1;b%3D2'],
    ['/items?next=/home?x', 'GET:items:next=/home%3Fx'],
    ['/items/a=1', 'GET:items:a%3D1'],
    ['/a%2Fb', 'GET:a%252Fb'],
    ['/a:b/*/[c]', 'GET:a%3Ab:%2A:%5Bc%5D'],
    ['/a;v=1/..', 'GET:a;v%3D1:..'],
    ['/me@home', 'GET:me%40home'],
    ['/~u', 'GET:%7Eu'],
    ['http://h/x', 'GET:=http%3A//h/x'],
  ];
  for (const [target, key] of golden) {
    it(`of ${target} is ${key}`, () => {
      expect(keyOf(target)).to.equal(key);
    });
  }

  it('holds attributes and the origin behind the query', () => {
    const key = responseKey({
      method: 'GET',
      target: '/me?user_id=8',
      attributes: [
        ['user_id', '7'],
        ['lang', 'de:AT'],
      ],
      origin: 'https://api.example.com:8443',
    });
    expect(key).to.equal('GET:me:user_id=8:@user_id=7:@lang=de%3AAT:@https://api.example.com:8443');
  });

  it('tells an attribute from a parameter of its name', () => {
    const parameter = keyOf('/me?user_id=7');
    const attribute = responseKey({ method: 'GET', target: '/me', attributes: [['user_id', '7']] });
    expect(attribute).not.to.equal(parameter);
    expect(keyOf('/me?@user_id=7')).not.to.equal(attribute);
  });

  it('holds the target that was routed where it is another, and tells it from any attribute', () => {
    const key = responseKey({ method: 'GET', target: '/shop', routedTarget: '/tenant-7/shop' });
    expect(key).to.equal('GET:shop:@/=/tenant-7/shop');
    const attribute = { attributes: [['/', '/tenant-7/shop']] as const };
    expect(responseKey({ method: 'GET', target: '/shop', ...attribute })).not.to.equal(key);
    expect(responseKey({ method: 'GET', target: '/shop', routedTarget: '/shop' })).to.equal(
      'GET:shop',
    );
  });

  it('tells hosts, ports and schemes apart', () => {
    const origins = [
      'http://a',
      'https://a',
      'http://a:80',
      'http://a%3A80',
      'http://[::1]',
      'a=b',
    ];
    const keys = origins.map((origin) => responseKey({ method: 'GET', target: '/', origin }));
    expect(new Set(keys).size).to.equal(origins.length);
  });

  it('is matched by admin patterns, whatever the id', () => {
    const pattern = compilePattern('GET:spaces:*');
    for (const target of ['/spaces/123', '/spaces/a b?x=1', '/spaces/*/items']) {
      expect(pattern.matches(boundedKeyText(keyOf(target))), target).to.equal(true);
    }
    expect(pattern.matches(keyOf('/spacesuits/1'))).to.equal(false);
    const star = compilePattern(`GET:${escapeKeyComponent('*')}:*`);
    expect(star.matches(keyOf('/*/x'))).to.equal(true);
    expect(star.matches(keyOf('/items/x'))).to.equal(false);
  });

  it('is its own literal pattern, in the alphabet of key texts, and never reads as hashed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, value) => {
        const key = responseKey({ method: 'GET', target: `/${text}`, attributes: [[value, text]] });
        expect(key).to.match(/^[-.\w!#$&+;/@,=%:()]*$/);
        expect(isHashedKey(key)).to.equal(false);
        if (key.length < 1000) expect(compilePattern(key).matches(key)).to.equal(true);
      }),
      { numRuns: 500 },
    );
  });

  describe('of requests that Express can tell apart', () => {
    const parsers = [expressParser('simple'), expressParser('extended')];
    const name = fc.oneof(
      fc.constantFrom('a', 'b', '%61', 'A', 'a[]', 'a[0]', 'a%5B%5D', '[a]', 'a.b', 'a[b]', ''),
      fc.constantFrom('%FF', '%FE', '\u00e9', '%C3%A9', '+', '%20', '%zz', '@a', "a'", 'a]'),
    );
    const value = fc.constantFrom(
      '',
      '1',
      '2',
      '1:b=2',
      '1=2',
      '%31',
      '[',
      '/',
      '~',
      '()',
      '\u00e9',
    );
    const parameter = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(name, value).map(([n, v]) => `${n}=${v}`) },
      { weight: 1, arbitrary: name },
    );
    const path = fc
      .array(
        fc.constantFrom('a', 'A', 'a=1', 'a:b', '%2F', '..', '.', '', ';', '*', '()', '@a=1', '='),
      )
      .map((segments) => `/${segments.join('/')}`);
    const query = fc.array(parameter, { maxLength: 5 });

    function target(of: string, parameters: readonly string[]): string {
      return parameters.length === 0 ? of : `${of}?${parameters.join('&')}`;
    }

    /** What a handler can find out, but for the order of parameters of different names. */
    function seen(of: string): unknown {
      const [, pathname, search] = /^([^?]*)(\??.*)$/s.exec(of)!;
      const pieces = search === '' ? [] : search!.slice(1).split('&');
      return [pathname, [...pieces].sort(), parsers.map((parse) => parse(search!.slice(1)))];
    }

    it('is never the same', () => {
      const texts = new Map<string, { target: string; seen: unknown }>();
      fc.assert(
        fc.property(path, query, (of, parameters) => {
          const full = target(of, parameters);
          const known = texts.get(keyOf(full));
          if (known === undefined) texts.set(keyOf(full), { target: full, seen: seen(full) });
          else expect(known.seen, `${known.target} and ${full}`).to.deep.equal(seen(full));
        }),
        { numRuns: 20_000 },
      );
    });

    it('is not the same for two orders of one query that a parser reads differently', () => {
      fc.assert(
        fc.property(path, query, fc.infiniteStream(fc.nat()), (of, parameters, chances) => {
          const shuffled = [...parameters].sort(() => (chances.next().value! % 3) - 1);
          const [one, other] = [target(of, parameters), target(of, shuffled)];
          if (keyOf(one) !== keyOf(other)) return;
          expect(seen(one), `${one} and ${other}`).to.deep.equal(seen(other));
        }),
        { numRuns: 20_000 },
      );
    });

    it('is the same for two orders of different names', () => {
      const names = ['a', 'b', 'c', 'd[x]', 'e'];
      fc.assert(
        fc.property(
          path,
          fc.shuffledSubarray(names),
          fc.shuffledSubarray(names, { minLength: names.length }),
          (of, some, order) => {
            const parameters = some.map((each) => `${each}=1`);
            const rank = (each: string): number => order.indexOf(each.slice(0, -2));
            const reordered = [...parameters].sort((a, b) => rank(a) - rank(b));
            expect(keyOf(target(of, reordered))).to.equal(keyOf(target(of, parameters)));
          },
        ),
      );
    });
  });
});

describe('queryFilter', () => {
  function filtered(target: string, selection: Parameters<typeof queryFilter>[0]): string {
    return responseKey({ method: 'GET', target, queryFilter: queryFilter(selection) });
  }

  it('is absent when nothing is selected', () => {
    expect(queryFilter({})).to.equal(undefined);
    expect(queryFilter({ ignore: [] })).to.equal(undefined);
  });

  it('leaves out what is ignored, by name or beginning', () => {
    const selection = { ignore: ['utm_*', 'fbclid'] };
    expect(filtered('/a?utm_source=x&b=1&fbclid=2', selection)).to.equal('GET:a:b=1');
    expect(filtered('/a?utm_source=x', selection)).to.equal('GET:a');
    expect(filtered('/a?%75tm_source=x', selection)).to.equal('GET:a');
    expect(filtered('/a?fbclid2=x', selection)).to.equal('GET:a:fbclid2=x');
  });

  it('keeps only what is allowed, with its brackets', () => {
    const selection = { allow: ['page', 'filter'] };
    expect(filtered('/a?x=1&page=2&filter[b]=3&filter', selection)).to.equal(
      'GET:a:filter%5Bb%5D=3:filter=():page=2',
    );
    expect(filtered('/a?x=1', { allow: [] })).to.equal('GET:a');
  });

  it('ignores what is allowed and ignored', () => {
    expect(filtered('/a?a=1&b=2', { allow: ['a', 'b'], ignore: ['b'] })).to.equal('GET:a:a=1');
  });

  it('keeps what cannot be decoded', () => {
    expect(filtered('/a?%zz=1', { ignore: ['a'] })).to.equal('GET:a:%25zz=1');
  });
});
