import { expect } from 'chai';
import { Cluster, type Redis } from 'ioredis';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { RedisSubscriber } from '#internal/backends/redis/redis-subscriber.js';
import { eventually } from '../../support/eventually.js';
import { freePort, RedisServer } from '../../support/redis-server.js';

const SLOTS = 16_384;

describe(`${RedisSubscriber.name} on a Cluster`, function () {
  this.timeout(30_000);

  const servers: RedisServer[] = [];
  const admins: Redis[] = [];
  let cluster: Cluster;
  let subscribers: RedisSubscriber[];
  let number = 0;

  before(async () => {
    const busPorts: number[] = [];
    for (let index = 0; index < 3; index++) {
      const busPort = await freePort();
      const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
      const server = await RedisServer.start({ args });
      servers.push(server);
      busPorts.push(busPort);
      admins.push(server.client());
    }
    for (const [index, admin] of admins.entries()) {
      const [from, to] = [index, index + 1].map((part) => Math.floor((part * SLOTS) / 3));
      await admin.cluster('ADDSLOTSRANGE', from!, to! - 1);
      const address = ['127.0.0.1', servers[index]!.port, busPorts[index]!] as const;
      if (index > 0) await admins[0]!.call('cluster', 'meet', ...address);
    }
    for (const admin of admins) {
      await eventually('the Cluster is complete', async () => {
        const info = String(await admin.cluster('INFO'));
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
      });
    }
    cluster = new Cluster([{ host: '127.0.0.1', port: servers[0]!.port }]);
    await cluster.ping();
  });

  after(async () => {
    cluster.disconnect();
    for (const admin of admins) admin.disconnect();
    await Promise.all(servers.map((server) => server.stop()));
  });

  beforeEach(() => {
    subscribers = [];
    number++;
  });

  afterEach(() => {
    for (const subscriber of subscribers) subscriber.close();
  });

  const listen = async (channel: string, prefersSharded: boolean): Promise<string[]> => {
    const log: string[] = [];
    const subscriber = new RedisSubscriber({
      place: 'the Cluster',
      channel,
      prefersSharded,
      provide: () => cluster as unknown as RedisLike,
      onMessage: (text) => void log.push(text),
      onSubscribed: () => void log.push('+'),
      onInterrupted: () => void log.push('-'),
    });
    subscribers.push(subscriber);
    subscriber.open();
    await eventually('it is subscribed', () => log.includes('+'));
    return log;
  };
  const publishSharded = (channel: string, text: string): Promise<unknown> =>
    cluster.callBuffer('spublish', channel, text);
  const shardChannels = async (admin: Redis): Promise<number> =>
    ((await admin.call('pubsub', 'shardchannels', 'news*')) as unknown[]).length;

  it('finds the shard of each channel', async () => {
    // With so many channels no master is left out.
    for (let count = 0; count < 24; count++) {
      const channel = `news${number}-${count}`;
      const log = await listen(channel, true);
      for (let text = 0; text < 20; text++) void publishSharded(channel, String(text));
      await eventually('all arrive', () => log.length === 21);
      expect(log).to.deep.equal(['+', ...Array.from({ length: 20 }, (_, text) => String(text))]);
    }
    for (const admin of admins) expect(await shardChannels(admin)).to.be.greaterThan(0);
  });

  it('hears on any node what any node publishes, scripts included, without shards', async () => {
    const channel = `news${number}`;
    const logs = await Promise.all([1, 2, 3, 4].map(() => listen(channel, false)));
    for (const [index, admin] of admins.entries()) {
      const script = "return redis.call('PUBLISH', ARGV[1], ARGV[2])";
      await admin.eval(script, 0, channel, String(index));
    }
    for (const log of logs) {
      await eventually('all arrive', () => log.length === 4);
      expect(log.slice(1).sort()).to.deep.equal(['0', '1', '2']);
    }
  });

  it('follows a channel whose slot moves to another master', async () => {
    const channel = `news${number}`;
    const log = await listen(channel, true);
    const slot = Number(await admins[0]!.cluster('KEYSLOT', channel));
    const owner = Math.floor((slot * 3) / SLOTS);
    const heir = admins[(owner + 1) % 3]!;
    const heirId = String(await heir.cluster('MYID'));
    for (const admin of [heir, ...admins]) await admin.cluster('SETSLOT', slot, 'NODE', heirId);
    await eventually('it is subscribed again', () => log.filter((told) => told === '+').length > 1);
    await eventually('a message arrives', async () => {
      await publishSharded(channel, 'after').catch(() => undefined);
      return log.includes('after');
    });
    expect(log.slice(0, 3)).to.deep.equal(['+', '-', '+']);
    expect(await shardChannels(heir)).to.be.greaterThan(0);
  });

  it('subscribes again when its connection is cut', async () => {
    const log = await listen(`news${number}`, false);
    for (const admin of admins) await admin.client('KILL', 'TYPE', 'pubsub');
    await eventually('it is subscribed again', () => log.length === 3);
    expect(log).to.deep.equal(['+', '-', '+']);
  });
});
