import { once } from 'node:events';
import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { ChalkreelError } from '../errors.ts';
import { withDeadline, type Closable } from '../lifecycle.ts';
import type { ClientMessage } from '../protocol/signalling.ts';
import { STROKES, TEXTS, type BoardStroke, type BoardText } from '../protocol/whiteboard.ts';
import type { CastMember } from './cast.ts';

const CONNECT_TIMEOUT_MS = 5000;

/** A scripted participant: joins signalling and whiteboard over the same WebSockets as anyone would. */
export type ScriptedParticipant = Closable & {
  readonly member: CastMember;
  say(message: ClientMessage): void;
  /** Begins a stroke; the returned function makes it longer by points (x and y by turns). */
  beginStroke(stroke: BoardStroke): (points: readonly number[]) => void;
  write(text: BoardText): void;
  clearBoard(): void;
};

/** Joins the class; resolves when signalling has answered. */
export async function joinClass(
  member: CastMember,
  urls: { signallingUrl: string; whiteboardUrl: string },
): Promise<ScriptedParticipant> {
  const socket = await connect(urls.signallingUrl);
  const { participantId, name, role } = member;
  const say = (message: ClientMessage): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const answered = once(socket, 'message');
  say({ type: 'join', participantId, name, role });
  await withDeadline(answered, CONNECT_TIMEOUT_MS, () => noAnswer(urls.signallingUrl));
  const board = openBoard(urls.whiteboardUrl);
  return { member, say, ...board, close: () => leave(socket, board) };
}

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await withDeadline(once(socket, 'open'), CONNECT_TIMEOUT_MS, () => noAnswer(url));
  socket.on('error', () => undefined); // a close follows
  return socket;
}

const noAnswer = (url: string): ChalkreelError =>
  new ChalkreelError(
    'classroom-unreachable',
    `No answer from ${url} in ${CONNECT_TIMEOUT_MS} ms.`,
    {
      fault: 'dependency',
    },
  );

type Board = Closable & Pick<ScriptedParticipant, 'beginStroke' | 'write' | 'clearBoard'>;

function openBoard(whiteboardUrl: string): Board {
  const doc = new Y.Doc();
  const cut = whiteboardUrl.lastIndexOf('/');
  const server = whiteboardUrl.slice(0, cut);
  const provider = new WebsocketProvider(server, whiteboardUrl.slice(cut + 1), doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  });
  const strokes = doc.getArray<Y.Map<unknown>>(STROKES);
  const texts = doc.getArray<BoardText>(TEXTS);
  return {
    beginStroke({ points, color, width }) {
      const shared = Y.Array.from([...points]);
      strokes.push([new Y.Map<unknown>(Object.entries({ color, width, points: shared }))]);
      return (more) => {
        shared.push([...more]);
      };
    },
    write(text) {
      texts.push([text]);
    },
    clearBoard() {
      doc.transact(() => {
        strokes.delete(0, strokes.length);
        texts.delete(0, texts.length);
      });
    },
    close() {
      provider.destroy();
      doc.destroy();
      return Promise.resolve();
    },
  };
}

async function leave(socket: WebSocket, board: Board): Promise<void> {
  await board.close();
  if (socket.readyState === WebSocket.CLOSED) return;
  const closed = once(socket, 'close');
  socket.close();
  const kill = setTimeout(() => {
    socket.terminate();
  }, 500);
  await closed;
  clearTimeout(kill);
}
