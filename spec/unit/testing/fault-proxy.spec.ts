import { expect } from 'chai';
import { InvalidOptionError } from '#internal/errors.js';
import { FaultProxy, type FaultProxyOptions } from '#internal/testing/fault-proxy.js';
import { freePort } from '../../support/redis-server.js';
import { EchoServer, TcpPeer } from '../../support/tcp-peer.js';
import { until } from '../../support/until.js';

describe(FaultProxy.name, () => {
  let echo: EchoServer;
  let proxy: FaultProxy;
  const peers: TcpPeer[] = [];

  beforeEach(async () => {
    echo = await EchoServer.start();
    proxy = await FaultProxy.start({ target: { port: echo.port } });
  });

  afterEach(async () => {
    await proxy.close();
    echo.close();
    for (const { socket } of peers.splice(0)) socket.destroy();
  });

  const connect = async (): Promise<TcpPeer> => {
    const peer = await TcpPeer.connect(proxy.port);
    peers.push(peer);
    return peer;
  };

  const talking = async (): Promise<TcpPeer> => {
    const peer = await connect();
    peer.send('hello ');
    await peer.gets('hello ');
    return peer;
  };

  it('passes bytes on in both directions, and counts them', async () => {
    const peer = await connect();
    const text = 'x'.repeat(2_000_000);
    peer.send(text);
    await until('the echo', () => peer.received.length === text.length);
    expect(proxy.counts).to.deep.include({
      accepted: 1,
      bytesToServer: text.length,
      bytesToClient: text.length,
      bytesSwallowed: 0,
    });
  });

  it('passes an end on behind what was sent', async () => {
    const peer = await connect();
    peer.socket.end('last words');
    await peer.closes();
    expect(peer.received).to.equal('last words');
    await until('the link to be gone', () => proxy.connections === 0);
  });

  it('resets a client when the server cannot be reached', async () => {
    const nobody = await FaultProxy.start({ target: { port: await freePort() } });
    const peer = await TcpPeer.connect(nobody.port);
    await peer.closes();
    expect(peer.received).to.equal('');
    await nobody.close();
  });

  describe('#cut', () => {
    it('resets both sides, and lets new connections in', async () => {
      const peer = await talking();
      expect(proxy.cut()).to.equal(1);
      await peer.closes();
      expect(peer.error?.code).to.equal('ECONNRESET');
      await until('the server to notice', () => echo.sockets[0]!.destroyed);
      await talking();
    });
  });

  describe('#refuse', () => {
    it('refuses new connections and keeps open ones, until it heals on the same port', async () => {
      const peer = await talking();
      await proxy.refuse();
      const refused = await connect();
      expect(refused.error?.code).to.equal('ECONNREFUSED');
      peer.send('again');
      await peer.gets('hello again');
      await proxy.heal();
      await talking();
    });
  });

  describe('#swallow', () => {
    it('loses what is sent, and tells nobody', async () => {
      const peer = await talking();
      proxy.swallow();
      peer.send('lost');
      await until('the bytes to be lost', () => proxy.counts.bytesSwallowed === 4);
      expect(echo.received).to.equal('hello ');
      expect(peer.isClosed).to.equal(false);
    });

    it('loses one direction alone', async () => {
      const peer = await talking();
      proxy.swallow('toClient');
      peer.send('heard');
      await until('the answer to be lost', () => proxy.counts.bytesSwallowed === 5);
      expect(echo.received).to.equal('hello heard');
      expect(peer.received).to.equal('hello ');
    });

    it('hides that the client has gone', async () => {
      const peer = await talking();
      proxy.swallow();
      peer.socket.destroy();
      const other = await connect();
      other.send('lost');
      await until('a later event to arrive', () => proxy.counts.bytesSwallowed === 4);
      expect(echo.sockets[0]!.destroyed).to.equal(false);
      await proxy.heal();
      await until('the server to notice', () => echo.sockets[0]!.destroyed);
    });

    it('resets what has lost bytes when it heals, and keeps what has not', async () => {
      const peer = await talking();
      const quiet = await talking();
      proxy.swallow();
      peer.send('lost');
      await until('the bytes to be lost', () => proxy.counts.bytesSwallowed === 4);
      await proxy.heal();
      await peer.closes();
      quiet.send('still there');
      await quiet.gets('hello still there');
    });
  });

  describe('#hold', () => {
    it('keeps bytes back, and delivers all of them in order when it heals', async () => {
      const peer = await talking();
      proxy.hold('toServer');
      peer.send('one ');
      peer.send('two');
      const other = await connect();
      proxy.hold('toClient');
      await proxy.heal();
      await peer.gets('hello one two');
      expect(other.isClosed).to.equal(false);
    });
  });

  describe('#delay', () => {
    it('keeps the order, whatever each chunk is delayed by', async () => {
      const peer = await talking();
      const delays = [40, 0, 20];
      let asked = 0;
      proxy.delay(() => delays[asked++]!, 'toServer');
      const sentAt = performance.now();
      for (const [index, text] of ['one ', 'two ', 'three'].entries()) {
        peer.send(text);
        await until('the proxy to take it', () => asked > index);
      }
      await peer.gets('hello one two three');
      expect(performance.now() - sentAt).to.be.at.least(39);
    });

    it('delivers what is under way at once when it heals', async () => {
      const peer = await talking();
      proxy.delay('1h', 'toServer');
      peer.send('patience');
      peer.send('!');
      await proxy.heal();
      await peer.gets('hello patience!');
    });

    it('refuses what is no duration', () => {
      expect(() => proxy.delay(-1)).to.throw(InvalidOptionError, 'FaultProxy.delay');
    });
  });

  describe('#abandon', () => {
    it('leaves the client with a connection that nobody answers, until it heals', async () => {
      const peer = await talking();
      proxy.abandon('server');
      await until('the server to lose it', () => echo.sockets[0]!.destroyed);
      peer.send('anybody?');
      const other = await talking();
      expect(peer.isClosed).to.equal(false);
      await proxy.heal();
      await peer.closes();
      expect(other.isClosed).to.equal(false);
    });

    it('leaves the server with a client that is gone', async () => {
      const peer = await talking();
      proxy.abandon('client');
      await peer.closes();
      await talking();
      expect(echo.sockets[0]!.destroyed).to.equal(false);
    });
  });

  describe('#close', () => {
    it('cuts connections, and stops listening', async () => {
      const peer = await talking();
      const { port } = proxy;
      await Promise.all([proxy.close(), proxy.close()]);
      await peer.closes();
      expect((await TcpPeer.connect(port)).error?.code).to.equal('ECONNREFUSED');
    });

    it('works while it refuses', async () => {
      await proxy.refuse();
      await proxy.close();
      await proxy.heal();
      expect((await connect()).error?.code).to.equal('ECONNREFUSED');
    });
  });

  describe('options', () => {
    const refusal = async (options: unknown): Promise<unknown> =>
      FaultProxy.start(options as FaultProxyOptions).catch((error: unknown) => error);

    for (const [options, named] of [
      [{ target: 'localhost' }, 'FaultProxy.target'],
      [{ target: 'http://localhost' }, "FaultProxy.target's port"],
      [{ target: { port: 0 } }, 'FaultProxy.target.port'],
      [{ target: { port: 1, host: '' } }, 'FaultProxy.target.host'],
      [{ target: { port: 1 }, port: 70_000 }, 'FaultProxy.port'],
      [{ target: { port: 1 }, protocol: 'http' }, 'FaultProxy.protocol'],
      [{ target: { port: 1 }, protocl: 'resp' }, "did you mean 'protocol'"],
      [undefined, 'FaultProxy'],
    ] as const) {
      it(`refuses ${JSON.stringify(options)}`, async () => {
        const error = await refusal(options);
        expect(error).to.be.instanceOf(InvalidOptionError);
        expect((error as Error).message).to.include(named);
      });
    }

    it('refuses faults of messages that it does not read', () => {
      expect(() => proxy.faultMessages('drop')).to.throw(InvalidOptionError, "protocol: 'resp'");
    });

    it('keeps scheme and credentials of the URL for its own', async () => {
      const other = await FaultProxy.start({ target: 'redis://me:secret@127.0.0.1' });
      expect(other.url).to.equal(`redis://me:secret@127.0.0.1:${other.port}`);
      await other.close();
    });
  });
});
