import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { shareShapes } from '#internal/express/shared-shape.js';
import { expect } from 'chai';
import express from 'express';

interface Seen {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

describe('shareShapes', () => {
  /** Compiled right before it is used: V8 throws code away that has not run for a while, and then knows its syntax no more. */
  function haveSameMap(one: object, other: object): boolean {
    setFlagsFromString('--allow-natives-syntax');
    try {
      const compare = runInNewContext('(one, other) => %HaveSameMap(one, other)') as (
        ...objects: readonly object[]
      ) => boolean;
      return compare(one, other);
    } finally {
      setFlagsFromString('--no-allow-natives-syntax');
    }
  }

  /** Two requests that are under way in an Express application at the same time. */
  async function twoAtOnce(onRequest: (seen: Seen) => void, check: (both: Seen[]) => void) {
    const seen: Seen[] = [];
    const app = express().use((req, res) => {
      onRequest({ req, res });
      seen.push({ req, res });
      if (seen.length < 2) return;
      try {
        check(seen);
      } finally {
        for (const each of seen) each.res.end();
      }
    });
    const server = createServer(app).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await Promise.all([fetch(url), fetch(url)]);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  it('gives the requests and responses of an Express application one hidden class', async () => {
    let isSame: readonly boolean[] = [];
    await twoAtOnce(
      ({ req, res }) => {
        shareShapes(req, res);
        Object.assign(res, { further: 1 });
      },
      ([one, other]) => {
        isSame = [haveSameMap(one!.req, other!.req), haveSameMap(one!.res, other!.res)];
      },
    );
    expect(isSame).to.deep.equal([true, true]);
  });

  it('changes nothing else about them', async () => {
    const changed: unknown[] = [];
    await twoAtOnce(
      ({ req, res }) => {
        const before = new Map([req, res].map((each) => [each, ownProperties(each)]));
        shareShapes(req, res);
        for (const [object, properties] of before) {
          changed.push(...differences(properties, ownProperties(object)));
        }
      },
      () => undefined,
    );
    expect(changed).to.deep.equal([]);
  });

  it('leaves alone what somebody has made an accessor of, or fixed', () => {
    const req = { httpVersionMajor: 1 };
    const res = {};
    Object.defineProperty(res, 'sendDate', { get: () => true, configurable: true });
    shareShapes(Object.freeze(req) as never, res as never);
    expect(Object.getOwnPropertyDescriptor(res, 'sendDate')).to.have.property('get');
    expect(req.httpVersionMajor).to.equal(1);
  });

  type Properties = ReadonlyMap<PropertyKey, PropertyDescriptor>;

  function ownProperties(object: object): Properties {
    return new Map(
      Reflect.ownKeys(object).map((name) => [name, Object.getOwnPropertyDescriptor(object, name)!]),
    );
  }

  function differences(before: Properties, after: Properties): readonly PropertyKey[] {
    const names = new Set([...before.keys(), ...after.keys()]);
    return [...names].filter((name) => {
      const [one, other] = [before.get(name), after.get(name)];
      return (
        one === undefined ||
        other === undefined ||
        one.value !== other.value ||
        one.writable !== other.writable ||
        one.enumerable !== other.enumerable ||
        one.configurable !== other.configurable
      );
    });
  }
});
