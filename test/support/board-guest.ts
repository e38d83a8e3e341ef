import { WebsocketProvider } from 'y-websocket';
import WebSocket from 'ws';
import * as Y from 'yjs';
import type { Closable } from '../../src/lifecycle.ts';
import { TEXTS, type BoardText } from '../../src/protocol/whiteboard.ts';
import { waitUntil } from './wait-until.ts';

/** Someone at the shared whiteboard: an ordinary y-websocket client. */
export type BoardGuest = Closable & { write(text: BoardText): void };

/** Joins a whiteboard by its URL; resolves when what is drawn there is known. */
export async function joinBoard(whiteboardUrl: string): Promise<BoardGuest> {
  const doc = new Y.Doc();
  const cut = whiteboardUrl.lastIndexOf('/');
  const [server, room] = [whiteboardUrl.slice(0, cut), whiteboardUrl.slice(cut + 1)];
  const provider = new WebsocketProvider(server, room, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  });
  const close = (): Promise<void> => {
    provider.destroy();
    doc.destroy();
    return Promise.resolve();
  };
  try {
    await waitUntil('the whiteboard answers', () => provider.synced);
  } catch (error) {
    await close();
    throw error;
  }
  return { write: (text) => doc.getArray<BoardText>(TEXTS).push([text]), close };
}
