import { expect } from 'chai';
import sinon from 'sinon';
import { consoleLogger, silentLogger, type CacheLogLevel } from '#internal/cache/cache-logger.js';

const METHODS = ['debug', 'info', 'warn', 'error'] as const;

describe('consoleLogger', () => {
  const sandbox = sinon.createSandbox();
  let written: string[];
  beforeEach(() => {
    written = [];
    for (const method of METHODS) {
      sandbox.stub(console, method).callsFake((...given: unknown[]) => {
        written.push(`${method} ${given.map((each) => JSON.stringify(each)).join(' ')}`);
      });
    }
  });
  afterEach(() => sandbox.restore());

  const LEVELS: readonly (readonly [CacheLogLevel | undefined, readonly string[]])[] = [
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    [undefined, ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ];
  for (const [level, expected] of LEVELS) {
    it(`writes ${expected.join(', ') || 'nothing'} at level ${level ?? 'by default'}`, () => {
      const logger = consoleLogger(level);
      for (const method of METHODS) logger[method]('A message.');
      expect(written).to.deep.equal(expected.map((method) => `${method} "[cachewell] A message."`));
    });
  }

  it('writes details beside the message, when there are any', () => {
    consoleLogger().warn('A message.', { code: 'X' });
    expect(written).to.deep.equal(['warn "[cachewell] A message." {"code":"X"}']);
  });

  it('says nothing as silentLogger', () => {
    for (const method of METHODS) silentLogger[method]('A message.');
    expect(written).to.deep.equal([]);
  });
});
