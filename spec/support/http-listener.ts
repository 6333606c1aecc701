import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { accelerate } from '#internal/express/accelerate.js';

/** Set for a process that runs the specs once more with a fast lane in front of each application. */
export const LANE_VARIABLE = 'HTTP_SPECS_IN_FRONT';

/** An application as the specs serve it: with a fast lane in front of it where the process says so. */
export function servedListener(app: RequestListener): RequestListener {
  return process.env[LANE_VARIABLE] === undefined ? app : accelerate(app);
}

/** A server of a spec on an ephemeral port of loopback. */
export interface Listening extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  readonly origin: string;
}

/** Starts a server for an application; its end closes all connections. */
export async function listening(listener: RequestListener): Promise<Listening> {
  const server = createServer(servedListener(listener));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server,
    port,
    origin: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Sends bytes on a connection of their own, and gives all that came until the server closed it. */
export function exchange(port: number, request: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}
