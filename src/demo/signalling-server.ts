import { randomUUID } from 'node:crypto';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import {
  MAX_SIGNALLING_BYTES,
  parseClientMessage,
  type ServerMessage,
} from '../protocol/signalling.ts';
import { Room, type Outgoing } from './room.ts';

/** The socket takes a little more than the protocol does, so that a refusal can name the limit. */
const MAX_FRAME_BYTES = 4 * MAX_SIGNALLING_BYTES;
/** A client that lets this many bytes pile up is cut off: it would only fall further behind. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
const OPEN = 1;
/** RFC 6455 §7.4.1. */
const CLOSE_POLICY = 1008;
const CLOSE_TOO_BIG = 1009;

export type SignallingCounts = { messages: number; unknown: number; refused: number };

/** Signalling of one room over WebSocket; the protocol is in protocol/signalling.ts. */
export class SignallingServer implements Closable {
  readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });
  /** What came in: messages acted on, of unknown type, refused. */
  readonly counts: SignallingCounts = { messages: 0, unknown: 0, refused: 0 };
  readonly room: Room;
  readonly #clients = new Map<string, WebSocket>();
  readonly #log: Log;

  constructor(options: { title: string; log: Log }) {
    this.#log = options.log;
    this.room = new Room({ title: options.title, nowMs: () => Date.now(), newId: randomUUID });
    this.sockets.on('connection', (socket) => {
      this.#accept(socket);
    });
  }

  /** Ends the class and tells everybody. */
  endClass(reason?: string): void {
    this.#deliver(this.room.end(reason));
  }

  async close(): Promise<void> {
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
    socket.on('message', (data, isBinary) => {
      this.#receive(connection, socket, data, isBinary);
    });
    socket.on('error', (error) => {
      this.#log.debug({ connection, error: error.message }, 'signalling socket failed');
    });
    socket.on('close', () => {
      this.#clients.delete(connection);
      this.#deliver(this.room.disconnect(connection));
    });
  }

  #receive(connection: string, socket: WebSocket, data: RawData, isBinary: boolean): void {
    const parsed = parseClientMessage(isBinary ? '' : rawText(data));
    switch (parsed.kind) {
      case 'message':
        this.counts.messages += 1;
        this.#deliver(this.room.receive(connection, parsed.message));
        return;
      case 'unknown':
        this.counts.unknown += 1;
        return;
      case 'refused': {
        this.counts.refused += 1;
        const { code, message, field } = parsed;
        send(socket, { type: 'error', code, message, ...(field === undefined ? {} : { field }) });
        if (code === 'too-large') socket.close(CLOSE_TOO_BIG, message);
      }
    }
  }

  #deliver(outgoing: readonly Outgoing[]): void {
    for (const { to, message } of outgoing) {
      for (const connection of to === 'everyone' ? this.room.joined : [to]) {
        const socket = this.#clients.get(connection);
        if (socket !== undefined) send(socket, message);
      }
    }
  }
}

function send(socket: WebSocket, message: ServerMessage): void {
  if (socket.readyState !== OPEN) return;
  if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.close(CLOSE_POLICY, 'too slow');
  else socket.send(JSON.stringify(message));
}

function rawText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.from(data as Buffer).toString('utf8');
}
