import { once } from 'node:events';
import WebSocket from 'ws';
import { ChalkreelError } from '../errors.ts';
import { withDeadline, type Closable } from '../lifecycle.ts';
import type { ClientMessage } from '../protocol/signalling.ts';
import type { CastMember } from './cast.ts';
import { openBoardClient, type BoardClient } from './drawing.ts';

const CONNECT_TIMEOUT_MS = 5000;

/** A scripted participant: joins signalling and whiteboard over the same WebSockets as anyone would. */
export type ScriptedParticipant = Closable & {
  readonly member: CastMember;
  readonly board: BoardClient;
  say(message: ClientMessage): void;
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
  const board = openBoardClient(urls.whiteboardUrl, { name });
  return { member, board, say, close: () => leave(socket, board) };
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

async function leave(socket: WebSocket, board: Closable): Promise<void> {
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
