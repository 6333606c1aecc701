import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server on loopback, and lets nothing through while it is shut: a black hole. */
export class TcpValve {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isShut = false;

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const upstream = connect(port, '127.0.0.1');
      this.#pass(client, upstream);
      this.#pass(upstream, client);
    });
  }

  static async open(port: number): Promise<TcpValve> {
    const valve = new TcpValve(port);
    await new Promise<void>((resolve) => valve.#server.listen(0, '127.0.0.1', resolve));
    return valve;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Swallows what arrives from now on, on old connections and on new ones; no socket is closed. */
  shut(): void {
    this.#isShut = true;
  }

  /** Lets new bytes through; what was swallowed is gone. */
  reopen(): void {
    this.#isShut = false;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      if (!this.#isShut) to.write(bytes);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
