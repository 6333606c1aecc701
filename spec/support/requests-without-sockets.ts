import { once } from 'node:events';
import { IncomingMessage, ServerResponse, type Server } from 'node:http';
import { Duplex } from 'node:stream';

/** A connection that takes everything and never says anything. */
class SilentSocket extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
  setTimeout(): this {
    return this;
  }
}

/** Asks a server for so many different URLs, one after the other, without a network between. */
export async function askAgain(server: Server, count: number): Promise<void> {
  const socket = new SilentSocket() as unknown as ConstructorParameters<typeof IncomingMessage>[0];
  for (let index = 0; index < count; index++) {
    const req = new IncomingMessage(socket);
    Object.assign(req, { method: 'GET', url: `/plain?${index}`, httpVersionMinor: 1 });
    req.headers = { host: 'localhost' };
    req.push(null);
    const res = new ServerResponse(req);
    res.assignSocket(socket);
    server.emit('request', req, res);
    await once(res, 'finish');
    res.detachSocket(socket);
    res.emit('close');
  }
}
