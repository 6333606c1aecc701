import { expect } from 'chai';
import { Redis, type Redis as RedisOf5 } from 'ioredis';
import { Redis as Redis6 } from 'ioredis-6';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import type { RedisBusOptions } from '#internal/backends/redis/redis-bus-options.js';
import { RedisClient } from '#internal/backends/redis/redis-client-token.js';
import type { BackendEvent } from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { systemClock } from '#internal/clock.js';
import { CacheClosedError, CacheConfigurationError, CacheTimeoutError } from '#internal/errors.js';
import { eventually } from '../../support/eventually.js';
import { RedisServer } from '../../support/redis-server.js';
import { TcpValve } from '../../support/tcp-valve.js';

/** A bus with all that it told. */
interface Ear {
  readonly bus: RedisBus;
  /** Messages, and `+` for subscribed, `-` for interrupted. */
  readonly log: string[];
  readonly events: BackendEvent[];
}

describe(RedisBus.name, () => {
  let server: RedisServer;
  let client: RedisOf5;
  let number = 0;
  let prefix: string;
  let ears: Ear[];

  before(async () => {
    server = await RedisServer.start();
    client = server.client();
  });

  after(async () => {
    client.disconnect();
    await server.stop();
  });

  beforeEach(() => {
    prefix = `bus${++number}`;
    ears = [];
  });

  afterEach(() => Promise.all(ears.map(({ bus }) => bus.close(1000))));

  const attach = (
    bus: RedisBus,
    inherited: string | null = prefix,
    resolve?: (token: unknown) => unknown,
  ): Ear => {
    const log: string[] = [];
    const events: BackendEvent[] = [];
    bus.attach({
      clock: systemClock,
      logger: silentLogger,
      prefix: inherited ?? undefined,
      report: (event) => void events.push(event),
      receive: (message) => void log.push(message),
      subscribed: () => void log.push('+'),
      interrupted: () => void log.push('-'),
      ...(resolve !== undefined && { resolve }),
    });
    const ear = { bus, log, events };
    ears.push(ear);
    return ear;
  };
  const listen = async (options: RedisBusOptions = {}, inherited?: string): Promise<Ear> => {
    const isPlaced = options.client !== undefined || options.port !== undefined;
    const place = isPlaced ? {} : { url: server.url };
    const ear = attach(
      new RedisBus({ commandTimeout: '5s', ...place, ...options }),
      inherited ?? prefix,
    );
    await eventually('the bus is subscribed', () => ear.log.includes('+'));
    return ear;
  };
  /** Publishes until the text arrives: what is sent during an interruption is lost. */
  const arrives = (from: Ear, to: Ear, text: string): Promise<void> =>
    eventually(`'${text}' arrives`, async () => {
      await from.bus.publish(text).catch(() => undefined);
      return to.log.includes(text);
    });

  it('carries texts to all, the sender included, in their order', async () => {
    const [first, second] = [await listen(), await listen()];
    const texts = Array.from({ length: 500 }, (_, index) => `message ${index} \n ü€𝄞 7 8`);
    await Promise.all(texts.map((text) => first.bus.publish(text)));
    for (const { log } of [first, second]) {
      await eventually('all have arrived', () => log.length > texts.length);
      expect(log).to.deep.equal(['+', ...texts]);
    }
    expect(first.bus.health()).to.deep.equal({ status: 'healthy', breaker: 'closed' });
    expect(first.events).to.deep.equal([]);
  });

  it('hears nothing of another prefix, and takes texts of strangers as they are', async () => {
    const [first, other] = [await listen(), await listen({}, `${prefix}-other`)];
    await other.bus.publish('elsewhere');
    await client.publish(`${prefix}:~bus`, 'stranger');
    await eventually('it has arrived', () => first.log.length === 2);
    expect(first.log).to.deep.equal(['+', 'stranger']);
  });

  it('sends one command for a message', async () => {
    const ear = await listen();
    await client.config('RESETSTAT');
    await ear.bus.publish('one');
    await eventually('it has arrived', () => ear.log.includes('one'));
    expect(await client.info('commandstats')).to.match(/cmdstat_publish:calls=1,/);
  });

  it('tells of a cut subscription, and subscribes again', async () => {
    const [first, second] = [await listen(), await listen()];
    await client.client('KILL', 'TYPE', 'pubsub');
    await eventually(
      'it is subscribed again',
      () => second.log.length >= 3 && first.log.length >= 3,
    );
    await arrives(first, second, 'after');
    expect(second.log.slice(0, 3)).to.deep.equal(['+', '-', '+']);
    expect(second.events).to.have.length(1);
    expect(second.events[0]).to.include({ type: 'error', operation: 'subscribe' });
  });

  it('notices a connection that swallows everything within about a second', async () => {
    const valve = await TcpValve.open(server.port);
    try {
      const first = await listen();
      const second = await listen({ host: '127.0.0.1', port: valve.port });
      valve.shut();
      const shutAt = performance.now();
      await eventually('it is noticed', () => second.log.includes('-'));
      expect(performance.now() - shutAt, 'milliseconds, on a busy machine').to.be.below(5000);
      expect(second.bus.health().status).to.not.equal('healthy');
      await first.bus.publish('lost');
      valve.reopen();
      await eventually('it is subscribed again', () => second.log.at(-1) === '+');
      await arrives(first, second, 'after');
      expect(second.log).to.not.include('lost');
    } finally {
      await valve.close();
    }
  });

  it('outlives a restart of the server', async () => {
    const mortal = await RedisServer.start();
    const [first, second] = [
      await listen({ host: '127.0.0.1', port: mortal.port }),
      await listen({ host: '127.0.0.1', port: mortal.port }),
    ];
    await mortal.stop();
    await eventually('it is noticed', () => second.log.includes('-'));
    await eventually('it is out of reach', () => first.bus.health().status === 'unhealthy');
    await mortal.start();
    await arrives(first, second, 'after');
    expect(second.log.filter((told) => told === '-')).to.have.length(1);
    await mortal.stop();
  });

  it('begins to listen when the server comes up later', async () => {
    const late = await RedisServer.start();
    await late.stop();
    const ear = attach(new RedisBus({ host: '127.0.0.1', port: late.port, commandTimeout: '5s' }));
    await eventually('the first attempt has failed', () => ear.log.includes('-'));
    expect(ear.bus.health().status).to.not.equal('healthy');
    await late.start();
    await arrives(ear, ear, 'after');
    expect(ear.log.slice(0, 2)).to.deep.equal(['-', '+']);
    await late.stop();
  });

  it('waits no longer than its timeout for a frozen server', async () => {
    const frozen = await RedisServer.start();
    const ear = await listen({ host: '127.0.0.1', port: frozen.port, commandTimeout: '300ms' });
    frozen.freeze();
    const failure = await ear.bus.publish('x').catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(CacheTimeoutError);
    await eventually('it is noticed', () => ear.log.includes('-'));
    frozen.thaw();
    await arrives(ear, ear, 'after');
    await frozen.stop();
  });

  for (const [version, makeClient] of Object.entries({
    'ioredis 5': () => new Redis(server.url),
    'ioredis 6': () => new Redis6(server.url) as unknown as Redis,
  })) {
    it(`uses a client of ${version}, and leaves it as it is`, async () => {
      const users = makeClient();
      const listeners = (): number =>
        users.eventNames().reduce((sum, name) => sum + users.listenerCount(name), 0);
      await users.ping();
      const listenersBefore = listeners();
      try {
        const [first, second] = [await listen({ client: users }), await listen()];
        await first.bus.publish('by client');
        await second.bus.publish('to client');
        await eventually('both have arrived', () => first.log.length === 3);
        expect(first.log).to.deep.equal(['+', 'by client', 'to client']);
        await client.client('KILL', 'TYPE', 'pubsub');
        await eventually('it is subscribed again', () => first.log.at(-1) === '+');
        await first.bus.close(1000);
        expect(await users.ping()).to.equal('PONG');
        expect(users.status).to.equal('ready');
        expect(listeners()).to.equal(listenersBefore);
      } finally {
        users.disconnect();
      }
    });
  }

  it('finds a registered client', async () => {
    const users = server.client();
    try {
      const ear = attach(new RedisBus(), null, (token) =>
        token === RedisClient ? users : undefined,
      );
      await arrives(ear, ear, 'found');
      expect(await client.pubsub('CHANNELS', 'cache:*')).to.deep.equal(['cache:~bus']);
    } finally {
      users.disconnect();
    }
  });

  it('leaves no connection behind, and tells nothing once it is closed', async () => {
    const ear = await listen();
    const closing = ear.bus.close(1000);
    expect(ear.bus.close(1000)).to.equal(closing);
    await closing;
    const failure = await ear.bus.publish('late').catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(CacheClosedError);
    await eventually('its connections are gone', async () => {
      return !String(await client.client('LIST')).includes('cachewell:');
    });
    expect(ear.log).to.deep.equal(['+']);
    expect(ear.bus.health()).to.deep.equal({ status: 'unavailable' });
  });

  it('belongs to one backend', async () => {
    const ear = await listen();
    expect(() => attach(ear.bus)).to.throw(CacheConfigurationError, 'one bus for each');
    const bus = new RedisBus();
    expect(bus.health()).to.deep.equal({ status: 'unavailable' });
    expect(() => bus.publish('x')).to.throw(CacheConfigurationError, 'belongs to no backend');
    await bus.close(10);
  });

  it('reports a server that refuses the channel, and does not stop asking', async () => {
    const strict = await RedisServer.start({
      acl: ['user default on nopass ~* resetchannels +@all'],
    });
    const admin = strict.client();
    const ear = attach(
      new RedisBus({ host: '127.0.0.1', port: strict.port, commandTimeout: '5s' }),
    );
    await eventually('it is refused', () => ear.log.includes('-'));
    expect(ear.events[0]).to.have.nested.property('error.message').that.includes('access control');
    await admin.acl('SETUSER', 'default', 'allchannels');
    await eventually('it is subscribed', () => ear.log.includes('+'));
    expect(ear.events).to.have.length(1);
    admin.disconnect();
    await strict.stop();
  });
});
