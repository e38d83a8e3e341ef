import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { WebSocketServer, type WebSocket } from 'ws';
import * as awareness from 'y-protocols/awareness';
import * as sync from 'y-protocols/sync';
import * as Y from 'yjs';
import type { Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { READER_ROLE } from '../protocol/whiteboard.ts';

/** Message types of the y-websocket wire protocol. */
const SYNC = 0;
const AWARENESS = 1;
const QUERY_AWARENESS = 3;
/** A whiteboard update is a few hundred bytes; an image of 2 MiB, as a data URL, fits too. */
const MAX_UPDATE_BYTES = 4 * 1024 * 1024;
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;
const OPEN = 1;
/** RFC 6455 §7.4.1. */
const CLOSE_BAD_DATA = 1007;
const CLOSE_POLICY = 1008;

type AwarenessChange = { added: number[]; updated: number[]; removed: number[] };

type Client = {
  /** Came with `role=recorder`: it hears all, and nothing it says changes anything. */
  readonly isReader: boolean;
  /** The awareness ids it speaks for. */
  readonly spokenFor: Set<number>;
};

/**
 * The shared whiteboard of one room: a Yjs document kept in memory, spoken to by any y-websocket client. Bytes
 * that are no such message end that client's connection, not the board.
 */
export class WhiteboardServer implements Closable {
  readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_UPDATE_BYTES });
  readonly doc = new Y.Doc();
  readonly #awareness = new awareness.Awareness(this.doc);
  readonly #clients = new Map<WebSocket, Client>();
  readonly #log: Log;

  constructor(options: { log: Log }) {
    this.#log = options.log;
    this.#awareness.setLocalState(null);
    this.doc.on('update', (update: Uint8Array) => {
      this.#broadcast(
        message(SYNC, (out) => {
          sync.writeUpdate(out, update);
        }),
      );
    });
    this.#awareness.on('update', (change: AwarenessChange, origin: unknown) => {
      this.#onAwareness(change, origin);
    });
    this.sockets.on('connection', (socket, request) => {
      const { searchParams } = new URL(request.url ?? '/', 'ws://localhost');
      this.#accept(socket, searchParams.getAll(READER_ROLE.name).includes(READER_ROLE.value));
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#clients.keys()) socket.terminate();
    await new Promise<void>((resolve) => {
      this.sockets.close(() => {
        resolve();
      });
    });
    this.#awareness.destroy();
    this.doc.destroy();
  }

  #accept(socket: WebSocket, isReader: boolean): void {
    const spokenFor = new Set<number>();
    this.#clients.set(socket, { isReader, spokenFor });
    socket.binaryType = 'arraybuffer';
    socket.on('message', (data) => {
      this.#receive(socket, { data: new Uint8Array(data as ArrayBuffer), isReader });
    });
    socket.on('error', (error) => {
      this.#log.debug({ error: error.message }, 'whiteboard socket failed');
    });
    socket.on('close', () => {
      this.#clients.delete(socket);
      awareness.removeAwarenessStates(this.#awareness, [...spokenFor], null);
    });
    send(
      socket,
      message(SYNC, (out) => {
        sync.writeSyncStep1(out, this.doc);
      }),
    );
    const present = [...this.#awareness.getStates().keys()];
    if (present.length > 0) send(socket, this.#awarenessOf(present));
  }

  #receive(
    socket: WebSocket,
    { data, isReader }: { readonly data: Uint8Array; readonly isReader: boolean },
  ): void {
    try {
      const input = decoding.createDecoder(data);
      const type = decoding.readVarUint(input);
      if (isReader && !asksOnly(type, input)) return;
      switch (type) {
        case SYNC: {
          const reply = encoding.createEncoder();
          encoding.writeVarUint(reply, SYNC);
          sync.readSyncMessage(input, reply, this.doc, socket, (error) => {
            throw error;
          });
          if (encoding.length(reply) > 1) send(socket, encoding.toUint8Array(reply));
          return;
        }
        case AWARENESS: {
          const update = decoding.readVarUint8Array(input);
          awareness.applyAwarenessUpdate(this.#awareness, update, socket);
          return;
        }
        case QUERY_AWARENESS:
          send(socket, this.#awarenessOf([...this.#awareness.getStates().keys()]));
      }
    } catch (error) {
      this.#log.debug({ error: String(error) }, 'whiteboard message refused');
      socket.close(CLOSE_BAD_DATA, 'expected a y-websocket message');
    }
  }

  #onAwareness({ added, updated, removed }: AwarenessChange, origin: unknown): void {
    const client = this.#clients.get(origin as WebSocket);
    for (const id of added) client?.spokenFor.add(id);
    for (const id of removed) client?.spokenFor.delete(id);
    this.#broadcast(this.#awarenessOf([...added, ...updated, ...removed]));
  }

  #awarenessOf(ids: number[]): Uint8Array {
    return message(AWARENESS, (out) => {
      encoding.writeVarUint8Array(out, awareness.encodeAwarenessUpdate(this.#awareness, ids));
    });
  }

  #broadcast(data: Uint8Array): void {
    for (const socket of this.#clients.keys()) send(socket, data);
  }
}

/** Whether a message asks for something and brings nothing. */
function asksOnly(type: number, input: decoding.Decoder): boolean {
  if (type === SYNC) return decoding.peekVarUint(input) === sync.messageYjsSyncStep1;
  return type === QUERY_AWARENESS;
}

function message(type: number, write: (out: encoding.Encoder) => void): Uint8Array {
  const out = encoding.createEncoder();
  encoding.writeVarUint(out, type);
  write(out);
  return encoding.toUint8Array(out);
}

function send(socket: WebSocket, data: Uint8Array): void {
  if (socket.readyState !== OPEN) return;
  if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.close(CLOSE_POLICY, 'too slow');
  else socket.send(data);
}
