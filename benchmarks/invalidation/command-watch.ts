import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Redis } from 'ioredis';

/**
 * Sees every command that clients send to some servers, by `MONITOR`. The counters of a server (`INFO commandstats`,
 * `total_commands_processed`) would not do: they count what scripts run inside, too, and do not say who sent it.
 */
export class CommandWatch {
  readonly #nodes: readonly NodeWatch[];

  private constructor(nodes: readonly NodeWatch[]) {
    this.#nodes = nodes;
  }

  /** @param clients - one of each server, which send nothing else while commands are watched */
  static async start(clients: readonly Redis[]): Promise<CommandWatch> {
    return new CommandWatch(await Promise.all(clients.map((client) => NodeWatch.start(client))));
  }

  /** What all clients sent to all servers while the work ran: names, of scripts with their hash. */
  async sentDuring(work: () => Promise<unknown>): Promise<readonly string[]> {
    await this.#take();
    await work();
    return this.#take();
  }

  stop(): void {
    for (const node of this.#nodes) node.stop();
  }

  async #take(): Promise<readonly string[]> {
    return (await Promise.all(this.#nodes.map((node) => node.take()))).flat();
  }
}

/** Who sent a command, and its first two words, which hold no quotation marks in what is looked for. */
const LINE = /^\+[\d.]+ \[\d+ ([^\]]+)\] "([^"]*)"(?: "([^"]*)")?/;

/** A command as it is told apart from others: its name, and of a script the hash. */
export function commandId(name: string, firstWord = ''): string {
  const command = name.toLowerCase();
  return command.startsWith('eval') ? `${command} ${firstWord}` : command;
}

/**
 * What one server is sent. It has a socket of its own: ioredis (5.11) takes a first line that comes together with the
 * answer to `MONITOR` for an error.
 */
class NodeWatch {
  readonly #client: Redis;
  readonly #socket: Socket;
  readonly #marks = new Map<string, (sent: readonly string[]) => void>();
  #sent: string[] = [];
  #lastMark = 0;

  private constructor(client: Redis, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    createInterface({ input: socket }).on('line', (line) => this.#see(line));
  }

  static async start(client: Redis): Promise<NodeWatch> {
    const socket = connect(client.options.port!, '127.0.0.1');
    await once(socket, 'connect');
    const watch = new NodeWatch(client, socket);
    const answered = once(socket, 'data');
    socket.write('MONITOR\r\n');
    await answered;
    return watch;
  }

  /** What was sent since the last time, up to a mark that this sends itself. */
  async take(): Promise<readonly string[]> {
    const mark = `mark-${++this.#lastMark}`;
    const taken = new Promise<readonly string[]>((resolve) => this.#marks.set(mark, resolve));
    await this.#client.echo(mark);
    return taken;
  }

  stop(): void {
    this.#socket.destroy();
  }

  #see(line: string): void {
    const [, source, name = '', first = ''] = LINE.exec(line) ?? [];
    // What a script does is part of the command that runs it.
    if (source === undefined || source === 'lua') return;
    const take = name.toLowerCase() === 'echo' ? this.#marks.get(first) : undefined;
    if (take === undefined) {
      this.#sent.push(commandId(name, first));
      return;
    }
    this.#marks.delete(first);
    take(this.#sent);
    this.#sent = [];
  }
}
