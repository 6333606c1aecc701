import type { Socket } from 'node:net';
import { FaultPipe, type DirectionFaults, type PipeFilter } from './fault-pipe.js';
import { MessageFilter, type MessageFaults } from './message-faults.js';

/** What a connection through a proxy shares with it. */
export interface FaultLinkContext {
  readonly toServer: DirectionFaults;
  readonly toClient: DirectionFaults;
  /** Absent where the bytes are not read. */
  readonly messages: MessageFaults | undefined;
  readonly bytes: { toServer: number; toClient: number; swallowed: number };
  /** The connection is gone, on both sides. */
  readonly onOver: () => void;
}

const AS_IT_IS: PipeFilter = { pass: (chunk) => [chunk], rest: () => [] };

/** One connection through a proxy: two sockets and a pipe for each direction. */
export class FaultLink {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #toServer: FaultPipe;
  readonly #toClient: FaultPipe;
  readonly #filter: MessageFilter | undefined;
  readonly #context: FaultLinkContext;
  #isAbandoned = false;

  constructor(client: Socket, server: Socket, context: FaultLinkContext) {
    this.#client = client;
    this.#server = server;
    this.#context = context;
    const { messages, bytes } = context;
    const filter = messages === undefined ? undefined : new MessageFilter(messages);
    this.#filter = filter;
    this.#toServer = new FaultPipe(
      client,
      server,
      context.toServer,
      AS_IT_IS,
      (kind, count) => (bytes[kind === 'carried' ? 'toServer' : 'swallowed'] += count),
    );
    this.#toClient = new FaultPipe(
      server,
      client,
      context.toClient,
      filter ?? AS_IT_IS,
      (kind, count) => (bytes[kind === 'carried' ? 'toClient' : 'swallowed'] += count),
    );
    this.#follow(client, server, context.toServer);
    this.#follow(server, client, context.toClient);
  }

  /** Resets both sides. */
  destroy(): void {
    this.#toServer.close();
    this.#toClient.close();
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  /** Lets one side vanish; the other one is not told. */
  abandon(side: 'server' | 'client'): void {
    this.#isAbandoned = true;
    if (side === 'server') this.#server.destroy();
    else this.#client.destroy();
  }

  /** Goes on where TCP would, and resets where it could not. */
  heal(): void {
    const isBroken = this.#toServer.hasHole || this.#toClient.hasHole || this.#isAbandoned;
    if (isBroken || this.#client.destroyed || this.#server.destroyed) {
      this.destroy();
      return;
    }
    for (const bytes of this.#filter?.release() ?? []) this.#toClient.append(bytes);
    this.#toServer.hurry();
    this.#toClient.hurry();
  }

  /** Passes on that a socket is gone, unless the direction is silent. */
  #follow(socket: Socket, other: Socket, faults: DirectionFaults): void {
    // The close that follows says all there is to say.
    socket.on('error', () => undefined);
    socket.on('close', (hadError) => {
      if (other.destroyed) {
        this.#toServer.close();
        this.#toClient.close();
        this.#context.onOver();
        return;
      }
      if (this.#isAbandoned || faults.isSwallowing || faults.isHolding) return;
      if (hadError) this.destroy();
      // An orderly end is passed on by the pipe, behind what is still under way.
      else if (!socket.readableEnded) other.destroy();
    });
  }
}
