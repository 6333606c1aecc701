import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { hasFieldsAsSent } from '#internal/express/sent-fields.js';
import { exchange, listening } from '../../support/http-listener.js';

describe(hasFieldsAsSent.name, () => {
  /** What the function says of a request with these lines, of which middleware has made something else. */
  async function verdict(
    lines: readonly string[],
    change: (req: IncomingMessage) => void = () => undefined,
  ): Promise<boolean> {
    let said: boolean | undefined;
    await using server = await listening((req, res) => {
      change(req);
      said = hasFieldsAsSent(req);
      res.end();
    });
    const head = ['GET / HTTP/1.1', 'Connection: close', ...lines, '', ''].join('\r\n');
    await exchange(server.port, head);
    return said!;
  }

  const AS_SENT: readonly (readonly [name: string, lines: readonly string[]])[] = [
    ['plain ones', ['Host: a', 'X-One: 1', 'x-two: 2']],
    ['one in several lines', ['Host: a', 'X-One: 1', 'x-two: 2', 'X-ONE: 3']],
    ['cookies in several lines', ['Host: a', 'Cookie: a=1', 'Cookie: b=2']],
    ['one that is taken once', ['Host: a', 'User-Agent: one', 'User-Agent: one']],
    ['names that are numbers, which objects put first', ['Host: a', '7: x', 'X-One: 1', '3: y']],
    ['empty ones', ['Host: a', 'X-One:', 'X-Two: ']],
  ];
  for (const [name, lines] of AS_SENT) {
    it(`knows ${name}`, async () => {
      expect(await verdict(lines)).to.equal(true);
    });
  }

  const CHANGES: readonly (readonly [name: string, change: (req: IncomingMessage) => void])[] = [
    ['put in', ({ headers }) => void (headers['x-new'] = '1')],
    ['changed', ({ headers }) => void (headers['x-one'] = '2')],
    ['taken away', ({ headers }) => void delete headers['x-one']],
    ['emptied', ({ headers }) => void (headers['x-one'] = undefined)],
    ['swapped', ({ headers }) => void ([headers['x-one'], headers['x-two']] = ['2', '1'])],
    [
      'taken away, and another put in',
      ({ headers }) => {
        delete headers['x-two'];
        headers['x-new'] = '2';
      },
    ],
  ];
  for (const [name, change] of CHANGES) {
    for (const double of [[], ['User-Agent: one', 'User-Agent: one'], ['X-Two: 3']]) {
      it(`sees what was ${name}, beside ${double.join(' and ') || 'fields that were sent once'}`, async () => {
        expect(await verdict(['Host: a', 'X-One: 1', 'X-Two: 2', ...double], change)).to.equal(
          false,
        );
      });
    }
  }
});
