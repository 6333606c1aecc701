import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import express, { type Request } from 'express';
import fc from 'fast-check';
import { invalidationPatterns } from '#internal/http/invalidation-patterns.js';
import {
  normalizedPath,
  pathInvalidationTags,
  pathTags,
  type InvalidationScope,
} from '#internal/http/path-tags.js';
import { MAX_PATH_DEPTH } from '#internal/http/request-target.js';
import { responseKey } from '#internal/http/response-key.js';
import { compilePattern } from '#internal/cache/key-pattern.js';

const ITEM = '/spaces/123/items/456';

function isHit(written: string, read: string, scope?: InvalidationScope, base?: string): boolean {
  const dropped = new Set(pathInvalidationTags(written, scope, base));
  return pathTags(read).some((tag) => dropped.has(tag));
}

describe('pathTags', () => {
  it('names the path and every prefix', () => {
    expect(pathTags('/spaces/123?page=2')).to.deep.equal([
      'http:at:/spaces/123',
      'http:under:/spaces/123',
      'http:under:/spaces',
    ]);
  });

  it('has only the path for the root', () => {
    expect(pathTags('/')).to.deep.equal(['http:at:/']);
  });

  it('is bounded', () => {
    expect(pathTags('/a'.repeat(5000))).to.have.length(MAX_PATH_DEPTH + 1);
    expect(pathInvalidationTags('/a'.repeat(5000))).to.have.length.at.most(MAX_PATH_DEPTH);
  });

  describe('of forms that Express routes to one handler', () => {
    interface Routed {
      readonly route: string;
      readonly params: unknown;
    }

    const app = express();
    const reach = (route: string): void => {
      app.all(route, (req: Request) => {
        found = { route, params: req.params };
      });
    };
    let found: Routed | undefined;
    reach('/');
    reach('/items');
    reach('/items/:id');
    reach('/spaces/:space/items/:item');
    reach('/files/*rest');
    const nested = express.Router();
    nested.all('/deep', (req: Request) => {
      found = { route: 'deep', params: req.params };
    });
    app.use('/api/:tenant', nested);

    /** Express' own routing, without a socket. */
    function routed(target: string): Routed | undefined {
      found = undefined;
      const req = new IncomingMessage(new Socket());
      req.method = 'PUT';
      req.url = target;
      (app as unknown as { handle(...args: unknown[]): void }).handle(
        req,
        new ServerResponse(req),
        () => undefined,
      );
      return found;
    }

    const segment = fc.oneof(
      fc.constantFrom('items', 'spaces', 'files', 'api', 'deep', 'a', 'A', '42', '', '.', '..'),
      fc.constantFrom(
        'a%2Fb',
        'a%2fb',
        '%2E%2E',
        'a;v=1',
        'a%3Bv',
        'caf%C3%A9',
        '%41',
        'a\\b',
        '%5C',
      ),
      fc.constantFrom(
        'a%00',
        '%FF',
        '%',
        '*',
        '[',
        ':',
        'a b',
        'a%20b',
        '~',
        '%7E',
        '%25',
        "'",
        '{',
      ),
    );
    const shape = fc.oneof(
      fc.array(segment, { maxLength: 4 }),
      segment.map((id) => ['items', id]),
      fc.tuple(segment, segment).map(([space, item]) => ['spaces', space, 'items', item]),
      fc.array(segment, { minLength: 1, maxLength: 3 }).map((rest) => ['files', ...rest]),
      segment.map((tenant) => ['api', tenant, 'deep']),
    );

    function recased(text: string, isUpper: () => boolean): string {
      return [...text]
        .map((each) => (isUpper() ? each.toUpperCase() : each.toLowerCase()))
        .join('');
    }

    function respelt(segments: readonly string[], chance: () => number): string {
      const spelt = segments.map((each) => {
        switch (chance() % 5) {
          case 0:
            return recased(each, () => chance() % 2 === 0);
          case 1:
            return each.replace(/[\w~]/g, (character) =>
              chance() % 2 === 0 ? `%${character.charCodeAt(0).toString(16)}` : character,
            );
          case 2:
            return each.replace(/%[\da-f]{2}/gi, (code) =>
              chance() % 2 === 0 ? code.toUpperCase() : code.toLowerCase(),
            );
          case 3:
            try {
              return decodeURIComponent(each);
            } catch {
              return each;
            }
          default:
            return each;
        }
      });
      const path = `/${spelt.join('/')}${chance() % 3 === 0 ? '/' : ''}`;
      const full = chance() % 6 === 0 ? `http://api.example.com${path}` : path;
      return full + ['', '?x=1', '#part', '?', '\u00a0', '#a/../b'][chance() % 6]!;
    }

    it('are the same', () => {
      let pairs = 0;
      fc.assert(
        fc.property(shape, fc.infiniteStream(fc.nat()), (segments, chances) => {
          const chance = (): number => chances.next().value!;
          const [one, other] = [respelt(segments, chance), respelt(segments, chance)];
          const [first, second] = [routed(one), routed(other)];
          if (first === undefined || second === undefined) return;
          if (JSON.stringify(first) !== JSON.stringify(second)) return;
          pairs++;
          expect(pathTags(one), `${one} and ${other}`).to.deep.equal(pathTags(other));
          expect(isHit(one, other), `${one} and ${other}`).to.equal(true);
        }),
        { numRuns: 5000 },
      );
      expect(pairs).to.be.greaterThan(200);
    }).timeout(30_000);

    it('are so in each of the known ways', () => {
      const forms = ['/items/a', '/ITEMS/a', '/items/a/', '/items/%61', '/items/a?x', '/items/a#x'];
      for (const form of [...forms, 'http://h/items/a', '/items/a\u00a0']) {
        expect(routed(form), form).to.deep.equal(routed('/items/a'));
        expect(pathTags(form), form).to.deep.equal(pathTags('/items/a'));
      }
    });
  });
});

describe('normalizedPath', () => {
  const rows: readonly (readonly [target: string, path: string])[] = [
    ['//Spaces/./123/;v=2?x', '/spaces/123'],
    ['/a/b/../c', '/a/c'],
    ['/../..', '/'],
    ['/a%2Fb', '/a/b'],
    ['/a%2e%2e/b', '/a../b'],
    ['/a/%2e%2e/b', '/b'],
    ['/a;v=1;w/b;x', '/a/b'],
    ['/a\\b', '/a/b'],
    ['https://api.example.com:8443/a', '/a'],
    ['/a%zz%41', '/a%zza'],
    ['/%FF/%41', '/%ff/a'],
    ['', '/'],
    ['*', '/*'],
  ];
  for (const [target, path] of rows) {
    it(`of ${target} is ${path}`, () => {
      expect(normalizedPath(target)).to.equal(path);
    });
  }
});

describe('pathInvalidationTags', () => {
  it('has the resource with what lies below, and each parent, by default', () => {
    expect(pathInvalidationTags(ITEM)).to.deep.equal([
      'http:under:/spaces/123/items/456',
      'http:at:/spaces/123/items',
      'http:at:/spaces/123',
      'http:at:/spaces',
    ]);
  });

  it("has the base collection for 'hierarchy', the resource for 'exact'", () => {
    expect(pathInvalidationTags(ITEM, 'hierarchy')).to.deep.equal(['http:under:/spaces']);
    expect(pathInvalidationTags(ITEM, 'exact')).to.deep.equal(['http:under:/spaces/123/items/456']);
  });

  it('stops at the base path', () => {
    expect(pathInvalidationTags('/api/v1/a/b', 'ancestors', '/API/v1/')).to.deep.equal([
      'http:under:/api/v1/a/b',
      'http:at:/api/v1/a',
    ]);
    expect(pathInvalidationTags('/api/v1/a/b', 'hierarchy', '/api/v1')).to.deep.equal([
      'http:under:/api/v1/a',
    ]);
    expect(pathInvalidationTags('/other/b', 'hierarchy', '/api/v1')).to.deep.equal([
      'http:under:/other',
    ]);
  });

  it('leaves everything below the root alone when the root is written to', () => {
    for (const scope of ['ancestors', 'hierarchy', 'exact'] as const) {
      expect(pathInvalidationTags('/', scope)).to.deep.equal(['http:at:/']);
    }
  });

  const six = '/a/1/b/2/c/3';
  const rows: readonly {
    readonly scope: InvalidationScope;
    readonly written: string;
    readonly dropped: readonly string[];
    readonly kept: readonly string[];
  }[] = [
    {
      scope: 'ancestors',
      written: ITEM,
      dropped: [
        ITEM,
        `${ITEM}?full`,
        `${ITEM}/tags`,
        '/spaces/123/items',
        '/spaces/123/items?page=2',
        '/spaces/123',
        '/spaces?sort=name',
        '/Spaces/',
      ],
      kept: [
        '/spaces/123/items/457',
        '/spaces/123/items/4567',
        '/spaces/1234',
        '/spacesuits',
        '/spaces/9/items',
        '/',
      ],
    },
    {
      scope: 'ancestors',
      written: six,
      dropped: ['/a', '/a/1', '/a/1/b', '/a/1/b/2', '/a/1/b/2/c', six].flatMap((path) => [
        path,
        `${path}?q=1`,
      ]),
      kept: ['/a/2', '/a/1/b/3', '/a/1/b/2/c/4', '/a/1/b/2/d'],
    },
    { scope: 'ancestors', written: '/a', dropped: ['/a', '/a?x', '/a/1'], kept: ['/b', '/'] },
    {
      scope: 'exact',
      written: ITEM,
      dropped: [ITEM, `${ITEM}/tags?x`],
      kept: ['/spaces/123/items', '/spaces'],
    },
    {
      scope: 'hierarchy',
      written: ITEM,
      dropped: [ITEM, '/spaces/9/items/1?x', '/spaces'],
      kept: ['/spacesuits', '/users'],
    },
  ];
  for (const { scope, written, dropped, kept } of rows) {
    it(`reaches ${dropped.length} kinds of response from ${written} with scope ${scope}`, () => {
      for (const read of dropped) expect(isHit(written, read, scope), read).to.equal(true);
      for (const read of kept) expect(isHit(written, read, scope), read).to.equal(false);
    });
  }
});

describe('invalidationPatterns', () => {
  it('begins with the four of a nested resource, then has the keys without query', () => {
    expect(invalidationPatterns(ITEM)).to.deep.equal([
      'GET:spaces:123:items:456*',
      'GET:spaces:123:items:*',
      'GET:spaces:123:*',
      'GET:spaces:*',
      'GET:spaces:123:items',
      'GET:spaces:123',
      'GET:spaces',
    ]);
  });

  const golden: readonly (readonly [path: string, patterns: readonly string[]])[] = [
    ['/a', ['GET:a*']],
    ['/a/1', ['GET:a:1*', 'GET:a:*', 'GET:a']],
    ['/a/1/b?x=1', ['GET:a:1:b*', 'GET:a:1:*', 'GET:a:*', 'GET:a:1', 'GET:a']],
    [
      '/a/1/b/2/c/',
      [
        'GET:a:1:b:2:c*',
        'GET:a:1:b:2:*',
        'GET:a:1:b:*',
        'GET:a:1:*',
        'GET:a:*',
        'GET:a:1:b:2',
        'GET:a:1:b',
        'GET:a:1',
        'GET:a',
      ],
    ],
    ['/', ['GET:', 'GET::*']],
    ['a', ['GET:a*']],
    ['/*/[x]', ['GET:%2A:%5Bx%5D*', 'GET:%2A:*', 'GET:%2A']],
  ];
  for (const [path, patterns] of golden) {
    it(`of ${path} are ${patterns.length}`, () => {
      expect(invalidationPatterns(path)).to.deep.equal(patterns);
    });
  }

  function matched(scope: InvalidationScope, target: string, origin?: string): boolean {
    const key = responseKey({ method: 'GET', target, origin });
    return invalidationPatterns(ITEM, scope).some((glob) => compilePattern(glob).matches(key));
  }

  it('reach whatever the tags of the scope reach, with and without an origin', () => {
    const reads = [
      ITEM,
      `${ITEM}/tags`,
      '/spaces/123/items',
      '/spaces/123',
      '/spaces',
      '/spaces/9',
    ];
    for (const scope of ['ancestors', 'hierarchy', 'exact'] as const) {
      for (const read of reads.flatMap((path) => [path, `${path}?page=2`])) {
        if (!isHit(ITEM, read, scope)) continue;
        expect(matched(scope, read), `${scope} ${read}`).to.equal(true);
        expect(matched(scope, read, 'https://h'), `${scope} ${read}`).to.equal(true);
      }
    }
  });

  it('keep neighbours in the precise scopes, and not in the hierarchy', () => {
    for (const neighbour of ['/spaces/123/items/4567', '/spaces/123/items/457', '/spaces/1234']) {
      expect(matched('ancestors', neighbour), neighbour).to.equal(false);
      expect(matched('exact', neighbour), neighbour).to.equal(false);
      expect(matched('hierarchy', neighbour), neighbour).to.equal(true);
    }
    expect(matched('hierarchy', '/spacesuits')).to.equal(false);
  });
});
