import { expect } from 'chai';
import { describe, it } from 'mocha';
import { CacheConnectionError } from '#internal/errors.js';
import { rejection } from '#internal/cache/maybe-promise.js';

describe(rejection.name, () => {
  it('rejects with the error, however often, and is one promise for all', async () => {
    const error = new CacheConnectionError('away');
    const calls = [rejection(error), rejection(error)];
    expect(calls[0]).to.equal(calls[1]);
    for (const call of calls) {
      expect(await call.catch((each: unknown) => each)).to.equal(error);
    }
    expect(rejection(new CacheConnectionError('away'))).to.not.equal(calls[0]);
  });

  it('tells the process of nothing that nobody handles, but of what comes of it', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', note);
    try {
      const [alone, chained] = [new Error('alone'), new Error('chained')];
      void rejection(alone);
      void rejection(chained).then(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).to.deep.equal([chained]);
    } finally {
      process.removeListener('unhandledRejection', note);
      for (const other of others) process.on('unhandledRejection', other);
    }
  });
});
