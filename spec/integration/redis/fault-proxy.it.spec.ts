import { expect } from 'chai';
import { Redis } from 'ioredis';
import { FaultProxy } from '#internal/testing/fault-proxy.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

describe('FaultProxy before Redis', function () {
  this.timeout(30_000);

  let server: RedisServer;
  let proxy: FaultProxy;
  let publisher: Redis;
  const clients: Redis[] = [];

  before(async () => {
    server = await startRedisServer();
    publisher = server.client();
  });

  after(async () => {
    publisher.disconnect();
    await server.stop();
  });

  beforeEach(async () => {
    proxy = await FaultProxy.start({ target: server.url, protocol: 'resp' });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    await proxy.close();
  });

  const throughProxy = (): Redis => {
    const client = new Redis(proxy.url);
    client.on('error', () => undefined);
    clients.push(client);
    return client;
  };

  const subscribed = async (isSharded = false): Promise<{ client: Redis; heard: string[] }> => {
    const client = throughProxy();
    const heard: string[] = [];
    client.on(isSharded ? 'smessage' : 'message', (_: string, text: string) => heard.push(text));
    await (isSharded ? client.ssubscribe('news') : client.subscribe('news'));
    return { client, heard };
  };

  const publish = async (...texts: readonly string[]): Promise<void> => {
    for (const text of texts) await publisher.publish('news', text);
  };

  it('passes commands, pipelines and large values', async () => {
    const client = throughProxy();
    const value = 'x\r\n'.repeat(300_000);
    await client.set('large', value);
    const answers = await client
      .pipeline()
      .get('large')
      .lrange('absent', 0, -1)
      .eval('return {1, {2, "three"}, false}', 0)
      .exec();
    expect(answers).to.deep.equal([
      [null, value],
      [null, []],
      [null, [1, [2, 'three'], null]],
    ]);
  });

  it('passes RESP3', async () => {
    const client = throughProxy();
    expect(await client.call('HELLO', '2')).to.be.an('array');
    expect(await client.echo('hi')).to.equal('hi');
  });

  it('drops as many messages as it is told to, those that fit', async () => {
    const { heard } = await subscribed();
    proxy.faultMessages('drop', { times: 2, where: ({ payload }) => payload.startsWith('b') });
    await publish('a', 'b1', 'b2', 'b3', 'c');
    await until('the last message', () => heard.includes('c'));
    expect(heard).to.deep.equal(['a', 'b3', 'c']);
    expect(proxy.counts.messages).to.include({ passed: 3, dropped: 2 });
  });

  it('doubles messages', async () => {
    const { heard } = await subscribed();
    proxy.faultMessages('duplicate', { times: 1 });
    await publish('a', 'b');
    await until('the last message', () => heard.includes('b'));
    expect(heard).to.deep.equal(['a', 'a', 'b']);
  });

  it('swaps a message with the next one, or delivers it when it heals', async () => {
    const { heard } = await subscribed();
    proxy.faultMessages('swap', { times: 1 });
    await publish('a', 'b');
    await until('both messages', () => heard.length === 2);
    expect(heard).to.deep.equal(['b', 'a']);
    proxy.faultMessages('swap', { times: 1 });
    await publish('c');
    await until('the message to arrive at the proxy', () => proxy.counts.messages.swapped === 2);
    expect(heard).to.have.length(2);
    await proxy.heal();
    await until('the late message', () => heard.includes('c'));
  });

  it('knows sharded messages', async () => {
    const { heard } = await subscribed(true);
    proxy.faultMessages('drop', { where: ({ kind }) => kind === 'smessage', times: 1 });
    await publisher.spublish('news', 'a');
    await publisher.spublish('news', 'b');
    await until('the second message', () => heard.includes('b'));
    expect(heard).to.deep.equal(['b']);
  });

  it('does harm to messages alone', async () => {
    const client = throughProxy();
    proxy.faultMessages('drop');
    await client.rpush('list', 'message', 'a');
    expect(await client.lrange('list', 0, -1)).to.deep.equal(['message', 'a']);
    expect(await client.echo('message')).to.equal('message');
  });

  it('cuts connections, which the client then opens anew', async () => {
    const client = throughProxy();
    await client.set('key', 'value');
    proxy.cut();
    await until('the client to notice', () => client.status !== 'ready');
    expect(await client.get('key')).to.equal('value');
    expect(proxy.counts.accepted).to.equal(2);
  });

  it('lets a command hang while bytes are held, and answers it then', async () => {
    const client = throughProxy();
    await client.set('key', 'value');
    proxy.hold();
    const carried = proxy.counts.bytesToServer;
    const answer = client.get('key');
    await publisher.ping();
    expect(proxy.counts.bytesToServer).to.equal(carried);
    await proxy.heal();
    expect(await answer).to.equal('value');
  });
});
