import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { RedisConnection } from '#internal/backends/redis/redis-connection.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { CacheClosedError, CacheConnectionError, CacheTimeoutError } from '#internal/errors.js';

const TIMEOUT_MS = 250;

/** A client whose connection and answers the spec decides about. */
class FakeClient extends EventEmitter {
  status = 'wait';
  readonly log: string[] = [];
  isSilent = false;

  connect(): Promise<void> {
    this.log.push('connect');
    this.status = 'connecting';
    return Promise.resolve();
  }

  ping(): Promise<string> {
    this.log.push('ping');
    return this.isSilent ? new Promise(() => undefined) : Promise.resolve('PONG');
  }

  callBuffer(): Promise<unknown> {
    return Promise.resolve('');
  }

  quit(): Promise<void> {
    this.log.push('quit');
    this.status = 'end';
    return Promise.resolve();
  }

  disconnect(reconnect = false): void {
    this.log.push(reconnect ? 'reconnect' : 'disconnect');
  }

  become(status: 'ready' | 'close'): void {
    this.status = status;
    this.emit(status);
  }
}

describe(RedisConnection.name, () => {
  let timers: SinonFakeTimers;
  let client: FakeClient;
  let events: string[];

  const connectionTo = (ownsClient: boolean): RedisConnection =>
    new RedisConnection({
      place: 'redis.example:6379',
      commandTimeoutMs: TIMEOUT_MS,
      greetingTimeoutMs: 2000,
      provide: () => client as unknown as RedisLike,
      ownsClient,
      onDegraded: ({ message }) => void events.push(`degraded: ${message}`),
      onRecovered: () => void events.push('recovered'),
    });
  const ping = (connection: RedisConnection, dueInMs?: number): Promise<unknown> =>
    connection.call(
      'ping',
      (redis) => redis.ping(),
      (answer) => answer,
      dueInMs === undefined ? undefined : { dueAt: performance.now() + dueInMs },
    );
  const failureOf = async (promise: Promise<unknown>): Promise<Error> =>
    promise.then(
      () => expect.fail('The call was expected to fail.'),
      (error: Error) => error,
    );
  /** Lets two calls in a row go without an answer. */
  const silence = async (connection: RedisConnection): Promise<void> => {
    client.isSilent = true;
    const calls = [failureOf(ping(connection)), failureOf(ping(connection))];
    await timers.tickAsync(TIMEOUT_MS + 1);
    for (const error of await Promise.all(calls)) {
      expect(error).to.be.instanceOf(CacheTimeoutError);
    }
  };

  beforeEach(() => {
    timers = useFakeTimers();
    client = new FakeClient();
    events = [];
  });

  afterEach(() => timers.restore());

  it('lets calls wait for the first attempt to connect', async () => {
    const connection = connectionTo(true);
    expect(connection.health()).to.deep.equal({ status: 'unavailable' });
    const call = ping(connection);
    expect(client.log).to.deep.equal(['connect']);
    client.become('ready');
    expect(await call).to.equal('PONG');
    expect(connection.health()).to.deep.equal({ status: 'healthy', breaker: 'closed' });
    expect(events).to.deep.equal([]);
  });

  it('fails waiting calls when the attempt fails, and later ones at once', async () => {
    const connection = connectionTo(true);
    const call = failureOf(ping(connection));
    client.emit('error', Object.assign(new Error(''), { code: 'ECONNREFUSED' }));
    client.become('close');
    expect((await call).message).to.equal(
      'Redis at redis.example:6379 cannot be reached for connecting: ECONNREFUSED',
    );
    expect(await failureOf(ping(connection))).to.be.instanceOf(CacheConnectionError);
    client.become('close');
    expect(events).to.have.length(1);
    client.become('ready');
    expect(events[1]).to.equal('recovered');
    expect(await ping(connection)).to.equal('PONG');
  });

  describe('with a call whose caller has waited already', () => {
    let connection: RedisConnection;
    beforeEach(() => {
      connection = connectionTo(false);
      client.status = 'ready';
    });

    it('does not send it, when it is due', async () => {
      for (const dueInMs of [0, -1000, -Infinity]) {
        const error = await failureOf(ping(connection, dueInMs));
        expect(error).to.be.instanceOf(CacheTimeoutError);
        expect(error.message).to.include('which was not sent');
      }
      expect(client.log).to.deep.equal([]);
      expect(connection.isAvailable).to.equal(true);
    });

    it('fails it at its time', async () => {
      client.isSilent = true;
      const failing = failureOf(ping(connection, 30));
      await timers.tickAsync(31);
      expect((await failing).message).to.equal('Redis: ping got no answer within 30 ms');
    });

    it('counts it as silence, if it had half of the time', async () => {
      client.isSilent = true;
      for (let call = 0; call < 10; call++) {
        const failing = failureOf(ping(connection, TIMEOUT_MS / 2 - 1));
        await timers.tickAsync(TIMEOUT_MS / 2);
        await failing;
      }
      expect(connection.isAvailable).to.equal(true);
      for (let call = 0; call < 2; call++) {
        const failing = failureOf(ping(connection, TIMEOUT_MS / 2));
        await timers.tickAsync(TIMEOUT_MS / 2 + 1);
        await failing;
      }
      expect(connection.isAvailable).to.equal(false);
      await connection.close(0);
    });
  });

  it('refuses all calls of an outage with one error for each operation', async () => {
    const connection = connectionTo(false);
    client.status = 'ready';
    await ping(connection);
    client.become('close');
    const refuse = (operation: string): Promise<Error> =>
      failureOf(
        connection.call(
          operation,
          (redis) => redis.ping(),
          () => undefined,
        ),
      );
    const first = await refuse('get');
    expect(await refuse('get')).to.equal(first);
    expect((await refuse('begin')).message).to.match(/^begin was not sent/);
    client.emit('error', new Error('another reason'));
    const second = await refuse('get');
    expect(second).to.not.equal(first);
    expect(second.message).to.include('another reason');
    await connection.close(0);
    expect(await refuse('get')).to.be.instanceOf(CacheClosedError);
  });

  it('opens the circuit after two timeouts in a row, and closes it when a probe is answered', async () => {
    const connection = connectionTo(false);
    client.status = 'ready';
    await ping(connection);
    await silence(connection);
    expect(connection.health()).to.deep.equal({
      status: 'unhealthy',
      breaker: 'open',
      errorCode: 'ERR_CACHE_CONNECTION',
    });
    client.log.length = 0;
    expect(await failureOf(ping(connection))).to.be.instanceOf(CacheConnectionError);
    expect(client.log).to.deep.equal([]);
    client.isSilent = false;
    await timers.tickAsync(501);
    expect(client.log).to.deep.equal(['ping']);
    expect(connection.breaker).to.equal('closed');
    expect(await ping(connection)).to.equal('PONG');
    expect(events.map((event) => event.split(':')[0])).to.deep.equal(['degraded', 'recovered']);
  });

  it('tells what its breaker lets through', async () => {
    const connection = connectionTo(true);
    expect(connection.breaker).to.equal(undefined);
    const first = ping(connection);
    expect(connection.breaker).to.equal(undefined);
    client.become('ready');
    await first;
    expect(connection.breaker).to.equal('closed');
    await silence(connection);
    expect(connection.breaker).to.equal('open');
    await timers.tickAsync(501);
    expect(connection.breaker, 'while a probe is under way').to.equal('half-open');
    client.become('close');
    expect(connection.breaker).to.equal('open');
    client.isSilent = false;
    client.become('ready');
    expect(connection.breaker).to.equal('closed');
    const closing = connection.close(0);
    expect(connection.breaker).to.equal(undefined);
    await timers.tickAsync(TIMEOUT_MS);
    await closing;
  });

  it('does not open the circuit for timeouts with an answer between them', async () => {
    const connection = connectionTo(false);
    client.status = 'ready';
    for (let round = 0; round < 3; round++) {
      client.isSilent = true;
      const call = failureOf(ping(connection));
      await timers.tickAsync(TIMEOUT_MS + 1);
      await call;
      client.isSilent = false;
      await ping(connection);
    }
    expect(events).to.deep.equal([]);
  });

  it('does not open the circuit for answers that are errors', async () => {
    const connection = connectionTo(false);
    client.status = 'ready';
    const refusal = Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' });
    const failing = (): Promise<unknown> =>
      connection.call(
        'store',
        () => Promise.reject(refusal),
        () => undefined,
      );
    for (let round = 0; round < 3; round++) {
      expect((await failureOf(failing())).message).to.include('OOM');
    }
    expect(connection.isAvailable).to.equal(true);
  });

  it('makes an own client connect anew when the silence lasts, and never the user’s', async () => {
    for (const ownsClient of [true, false]) {
      client = new FakeClient();
      const connection = connectionTo(ownsClient);
      client.status = 'ready';
      await silence(connection);
      await timers.tickAsync(3000);
      expect(client.log.includes('reconnect')).to.equal(ownsClient);
      await connection.close(0);
    }
  });

  it('quits an own client when it closes, and leaves the user’s alone', async () => {
    for (const ownsClient of [true, false]) {
      client = new FakeClient();
      client.status = 'ready';
      const connection = connectionTo(ownsClient);
      await ping(connection);
      await connection.close(1000);
      expect(client.log.includes('quit')).to.equal(ownsClient);
      expect(client.listenerCount('ready')).to.equal(0);
      expect(await failureOf(ping(connection))).to.be.instanceOf(CacheClosedError);
    }
    expect(timers.countTimers()).to.equal(0);
  });

  it('does not mind an answer that comes too late', async () => {
    const connection = connectionTo(false);
    client.status = 'ready';
    let answer: (value: string) => void = () => undefined;
    const call = failureOf(
      connection.call(
        'get',
        () => new Promise<string>((resolve) => (answer = resolve)),
        () => expect.fail('A settled call takes no answer.'),
      ),
    );
    await timers.tickAsync(TIMEOUT_MS + 1);
    expect(await call).to.be.instanceOf(CacheTimeoutError);
    answer('late');
    await timers.tickAsync(1);
  });
});
