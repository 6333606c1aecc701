import { connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy that can stop passing anything on without closing, or pass it on late. */
export class BlackHole {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isSwallowing = false;
  #delayMs = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async before(port: number): Promise<BlackHole> {
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      hole.#join(near, far, 0);
      hole.#join(far, near, 1);
    });
    const hole = new BlackHole(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return hole;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  swallow(): void {
    this.#isSwallowing = true;
  }

  /** Lets every answer wait; 0 = none. */
  delay(milliseconds: number): void {
    this.#delayMs = milliseconds;
  }

  /** Lets new data through; what was swallowed is lost. */
  letThrough(): void {
    this.#isSwallowing = false;
    for (const socket of this.#sockets) socket.removeAllListeners('data').resume();
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(from: Socket, to: Socket, delayShare: number): void {
    this.#sockets.add(from);
    from.on('error', () => undefined);
    from.on('data', (chunk) => {
      if (this.#isSwallowing) return;
      const delayMs = this.#delayMs * delayShare;
      if (delayMs === 0) to.write(chunk);
      else setTimeout(() => to.write(chunk), delayMs).unref();
    });
    from.on('close', () => {
      this.#sockets.delete(from);
      if (!this.#isSwallowing) to.destroy();
    });
  }
}
