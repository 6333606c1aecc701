import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { FaultPipe, type DirectionFaults } from '#internal/testing/fault-pipe.js';
import { until } from '../../support/until.js';

const MEGABYTE = 1 << 20;

describe(FaultPipe.name, () => {
  it('lets its source wait when it holds a megabyte, and goes on when it may', async () => {
    const faults: DirectionFaults = { isSwallowing: false, isHolding: true, delayMs: undefined };
    const source = new PassThrough();
    const target = new PassThrough();
    let taken = 0;
    let arrived = 0;
    const pipe = new FaultPipe(
      source as unknown as Socket,
      target as unknown as Socket,
      faults,
      {
        pass: (chunk) => {
          taken += chunk.length;
          return [chunk];
        },
        rest: () => [],
      },
      () => undefined,
    );
    const chunk = Buffer.alloc(MEGABYTE / 16);
    for (let count = 0; count < 64; count++) source.write(chunk);
    source.end();
    await until('the source to be paused', () => source.isPaused());
    expect(taken).to.be.within(MEGABYTE, MEGABYTE + 2 * chunk.length);

    target.on('data', (bytes: Buffer) => (arrived += bytes.length));
    faults.isHolding = false;
    pipe.flush();
    await until('all bytes to arrive', () => arrived === 4 * MEGABYTE && target.readableEnded);
  });
});
