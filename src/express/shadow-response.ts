import { EventEmitter } from 'node:events';
import { OutgoingMessage, ServerResponse, type IncomingMessage } from 'node:http';
import { Stream } from 'node:stream';

/**
 * A response that goes nowhere, for a handler that runs once more behind the back of a client who has been answered.
 *
 * To the handler it looks like any other: nothing has been sent when it starts, heads are checked and merged by Node, and
 * `finish` and `close` come when it has ended.
 */
class ShadowResponse extends ServerResponse {
  readonly #outer: ServerResponse;

  constructor(req: IncomingMessage, outer: ServerResponse) {
    super(req);
    this.#outer = outer;
  }

  override write(...args: readonly unknown[]): boolean {
    this.#head();
    const callback = args.find((each) => typeof each === 'function');
    if (callback !== undefined) process.nextTick(callback as () => void);
    return true;
  }

  override end(...args: readonly unknown[]): this {
    if (this.writableEnded) return this;
    this.#head();
    (this as { finished: boolean }).finished = true;
    const callback = args.find((each) => typeof each === 'function');
    if (callback !== undefined) this.once('finish', callback as () => void);
    process.nextTick(() => {
      this.emit('prefinish');
      this.emit('finish');
      this.destroyed = true;
      this.emit('close');
    });
    return this;
  }

  override flushHeaders(): void {
    this.#head();
  }

  /** What Node, and compression, write a head with that nobody has written. */
  _implicitHeader(): void {
    this.#head();
  }

  override destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    process.nextTick(() => this.emit('close'));
    return this;
  }

  /** A middleware behind the cache may have put its own `writeHead` before ours. */
  #head(): void {
    if (!this.headersSent) this.#outer.writeHead(this.statusCode);
  }
}

/** What stays the response's own: its request, and what frameworks and middleware have put on it. */
const KEPT: ReadonlySet<string> = new Set([
  'constructor',
  'req',
  '_events',
  '_eventsCount',
  '_maxListeners',
]);

/** Everything that Node's responses have, as it is declared. */
function membersOf(shadow: ServerResponse): ReadonlyMap<string, PropertyDescriptor> {
  const members = new Map<string, PropertyDescriptor>();
  for (const source of [
    shadow,
    ShadowResponse.prototype,
    ServerResponse.prototype,
    OutgoingMessage.prototype,
    Stream.prototype,
    EventEmitter.prototype,
  ]) {
    for (const name of Object.getOwnPropertyNames(source)) {
      if (KEPT.has(name) || members.has(name)) continue;
      members.set(name, Object.getOwnPropertyDescriptor(source, name)!);
    }
  }
  return members;
}

/**
 * Turns a response that has been sent and closed into a pristine one that goes nowhere, so that the handlers behind the
 * cache can run on it. They have the same object in their closures, so it has to be this one: its own properties lead to a
 * shadow from now on.
 */
export function castShadow(res: ServerResponse): void {
  const shadow = new ShadowResponse(res.req, res);
  for (const [name, { value }] of membersOf(shadow)) {
    Object.defineProperty(
      res,
      name,
      typeof value === 'function'
        ? { configurable: true, writable: true, value: relay(res, shadow, value as Method) }
        : relayedProperty(shadow as unknown as Record<string, unknown>, name),
    );
  }
  guardSocket(res.req, shadow);
}

type Method = (...args: readonly unknown[]) => unknown;

function relay(res: ServerResponse, shadow: ServerResponse, method: Method): Method {
  return (...args) => {
    const result = method.apply(shadow, args as unknown[]);
    return result === shadow ? res : result;
  };
}

function relayedProperty(shadow: Record<string, unknown>, name: string): PropertyDescriptor {
  return {
    configurable: true,
    get: () => shadow[name],
    set: (given: unknown) => {
      shadow[name] = given;
    },
  };
}

/**
 * The connection may serve the client's next request by now. Error handlers that find a head sent end it, so the request's
 * view of it is one that ends the shadow alone.
 */
function guardSocket(req: IncomingMessage, shadow: ServerResponse): void {
  const { socket } = req;
  if (typeof socket !== 'object' || socket === null) return;
  const end = (): unknown => {
    shadow.destroy();
    return guarded;
  };
  const guarded = Object.create(socket, {
    destroy: { value: end },
    destroySoon: { value: end },
    end: { value: end },
  }) as typeof socket;
  Object.defineProperty(req, 'socket', { configurable: true, writable: true, value: guarded });
}
