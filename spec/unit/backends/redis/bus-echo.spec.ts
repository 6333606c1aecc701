import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { BusEcho } from '#internal/backends/redis/bus-echo.js';

describe(BusEcho.name, () => {
  let timers: SinonFakeTimers;
  let missing: number;
  let echo: BusEcho;

  beforeEach(() => {
    timers = useFakeTimers();
    missing = 0;
    echo = new BusEcho('me', () => void missing++);
  });

  afterEach(() => timers.restore());

  it('gives back what it wrapped, of any sender, and leaves other texts as they are', () => {
    for (const message of ['', 'x', 'a 1 b', '{"a":[1]}\n']) {
      expect(echo.unwrap(echo.wrap(message).text)).to.equal(message);
      expect(new BusEcho('you', () => undefined).unwrap(echo.wrap(message).text)).to.equal(message);
    }
    expect(echo.unwrap('a stranger')).to.equal('a stranger');
  });

  it('is content when its message comes back in time', async () => {
    const { text, number } = echo.wrap('x');
    echo.expect(number, () => true);
    await timers.tickAsync(700);
    echo.unwrap(text);
    await timers.tickAsync(1000);
    expect(missing).to.equal(0);
    expect(timers.countTimers()).to.equal(0);
  });

  it('is content when the echo comes before the confirmation', () => {
    const { text, number } = echo.wrap('x');
    echo.unwrap(text);
    echo.expect(number, () => true);
    expect(timers.countTimers()).to.equal(0);
  });

  it('tells once that messages do not come back, others of the same text notwithstanding', async () => {
    const { number } = echo.wrap('x');
    echo.expect(number, () => true);
    echo.expect(echo.wrap('y').number, () => true);
    echo.unwrap(new BusEcho('you', () => undefined).wrap('x').text);
    await timers.tickAsync(2000);
    expect(missing).to.equal(1);
    echo.expect(echo.wrap('z').number, () => true);
    await timers.tickAsync(2000);
    expect(missing).to.equal(2);
  });

  it('expects nothing while the subscription is not, or no longer, the same', async () => {
    echo.expect(echo.wrap('x').number, () => false);
    expect(timers.countTimers()).to.equal(0);
    let isSame = true;
    echo.expect(echo.wrap('x').number, () => isSame);
    isSame = false;
    await timers.tickAsync(2000);
    expect(missing).to.equal(0);
  });

  it('reads first what arrived while the event loop stood still', async () => {
    const { text, number } = echo.wrap('x');
    echo.expect(number, () => true);
    // The socket is read between the late timer and the immediate behind it.
    setTimeout(() => setImmediate(() => echo.unwrap(text)), 749);
    await timers.tickAsync(2000);
    expect(missing).to.equal(0);
  });

  it('tells nothing once it is closed', async () => {
    echo.expect(echo.wrap('x').number, () => true);
    echo.close();
    echo.expect(echo.wrap('y').number, () => true);
    await timers.tickAsync(2000);
    expect(missing).to.equal(0);
    expect(timers.countTimers()).to.equal(0);
  });
});
