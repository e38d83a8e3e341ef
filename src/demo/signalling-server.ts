import { randomUUID } from 'node:crypto';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { SourceChanges } from '../protocol/classroom.ts';
import {
  MAX_SIGNALLING_BYTES,
  parseClientMessage,
  type ServerMessage,
} from '../protocol/signalling.ts';
import { Broadcast, sendText } from './broadcast.ts';
import { Room, type Outgoing } from './room.ts';

/** The socket takes a little more than the protocol does, so that a refusal can name the limit. */
const MAX_FRAME_BYTES = 4 * MAX_SIGNALLING_BYTES;
/** Everybody hears something this often, so that who hears nothing knows that the connection is dead. */
const HEARTBEAT_MS = 5_000;
/** A client that has not answered the ping before the last one is gone. */
const PING_MS = 15_000;
/** RFC 6455 §7.4.1. */
const CLOSE_TOO_BIG = 1009;

export type SignallingCounts = { messages: number; unknown: number; refused: number };

/** Signalling of one room over WebSocket; the protocol is in protocol/signalling.ts. */
export class SignallingServer implements Closable {
  readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });
  /** What came in: messages acted on, of unknown type, refused. */
  readonly counts: SignallingCounts = { messages: 0, unknown: 0, refused: 0 };
  readonly room: Room;
  readonly #clients = new Map<string, WebSocket>();
  readonly #broadcast = new Broadcast();
  readonly #alive = new WeakSet<WebSocket>();
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #log: Log;
  #hasLoggedRefusal = false;

  constructor(options: { title: string; log: Log }) {
    this.#log = options.log;
    this.room = new Room({
      title: options.title,
      nowMs: () => Date.now(),
      newId: randomUUID,
      heartbeatMs: HEARTBEAT_MS,
    });
    this.#timers = [
      setInterval(() => this.#beat(), HEARTBEAT_MS / 2).unref(),
      setInterval(() => this.#ping(), PING_MS).unref(),
    ];
    this.sockets.on('connection', (socket) => {
      this.#accept(socket);
    });
  }

  /** Ends the class and tells everybody. */
  endClass(reason?: string): void {
    this.#deliver(this.room.end(reason));
  }

  /** Changes the class's streams and tells its recorders. */
  changeSources(changes: SourceChanges): void {
    this.#deliver(this.room.changeSources(changes));
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#broadcast.close();
    for (const socket of this.#clients.values()) socket.terminate();
    await new Promise<void>((resolve) => {
      this.sockets.close(() => {
        resolve();
      });
    });
  }

  #accept(socket: WebSocket): void {
    const connection = randomUUID();
    this.#clients.set(connection, socket);
    this.#alive.add(socket);
    socket.on('pong', () => this.#alive.add(socket));
    socket.on('message', (data, isBinary) => {
      this.#receive(connection, socket, data, isBinary);
    });
    socket.on('error', (error) => {
      this.#log.debug({ connection, error: error.message }, 'signalling socket failed');
    });
    socket.on('close', () => {
      this.#clients.delete(connection);
      this.#broadcast.remove(connection);
      this.#deliver(this.room.disconnect(connection));
    });
  }

  #receive(connection: string, socket: WebSocket, data: RawData, isBinary: boolean): void {
    const parsed = parseClientMessage(isBinary ? '' : rawText(data));
    switch (parsed.kind) {
      case 'message':
        this.counts.messages += 1;
        if (parsed.message.type === 'leave') this.#broadcast.remove(connection);
        this.#deliver(this.room.receive(connection, parsed.message));
        return;
      case 'unknown':
        this.counts.unknown += 1;
        return;
      case 'refused': {
        this.counts.refused += 1;
        const { code, message, field } = parsed;
        if (!this.#hasLoggedRefusal) this.#log.warn({ connection, code, field }, message);
        this.#hasLoggedRefusal = true;
        send(socket, { type: 'error', code, message, ...(field === undefined ? {} : { field }) });
        if (code === 'too-large') socket.close(CLOSE_TOO_BIG, message);
      }
    }
  }

  #deliver(outgoing: readonly Outgoing[]): void {
    for (const { to, message } of outgoing) {
      if (to === 'everyone') this.#broadcast.tell(message);
      else this.#answer(to, message);
    }
  }

  #answer(connection: string, message: ServerMessage): void {
    const socket = this.#clients.get(connection);
    if (socket === undefined) return;
    send(socket, message);
    if (message.type === 'snapshot') this.#broadcast.add(connection, socket);
  }

  #beat(): void {
    if (this.#broadcast.silentMs < HEARTBEAT_MS / 2) return;
    this.#broadcast.tell({ type: 'heartbeat', nowMs: Date.now() });
  }

  #ping(): void {
    for (const socket of this.#clients.values()) {
      if (this.#alive.delete(socket)) socket.ping();
      else socket.terminate();
    }
  }
}

function send(socket: WebSocket, message: ServerMessage): void {
  sendText(socket, JSON.stringify(message));
}

function rawText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.from(data as Buffer).toString('utf8');
}
