import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { until } from './until.js';

/** A server that answers with what it gets, and what it got. */
export class EchoServer {
  readonly sockets: Socket[] = [];
  received = '';
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.setEncoding('utf8').on('data', (text: string) => {
        this.received += text;
        socket.write(text);
      });
    });
  }

  static async start(): Promise<EchoServer> {
    const echo = new EchoServer();
    echo.#server.listen(0, '127.0.0.1');
    await once(echo.#server, 'listening');
    return echo;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** A client's socket, and what became of it. */
export class TcpPeer {
  readonly socket: Socket;
  received = '';
  hasEnded = false;
  error: NodeJS.ErrnoException | undefined;
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => (this.received += text));
    socket.on('end', () => (this.hasEnded = true));
    socket.on('error', (error) => (this.error = error));
    socket.on('close', () => (this.isClosed = true));
  }

  /** Connects; a refusal shows in `error`. */
  static async connect(port: number): Promise<TcpPeer> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const peer = new TcpPeer(socket);
    await Promise.race([
      new Promise((resolve) => socket.once('connect', resolve)),
      new Promise((resolve) => socket.once('close', resolve)),
    ]);
    return peer;
  }

  send(text: string): void {
    this.socket.write(text);
  }

  gets(text: string): Promise<void> {
    return until(`receiving ${text.slice(0, 40)}`, () => this.received === text);
  }

  closes(): Promise<void> {
    return until('the connection to close', () => this.isClosed);
  }
}
