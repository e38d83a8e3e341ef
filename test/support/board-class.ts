import { startClassroomServer } from '../../src/demo/http-server.ts';
import { SignallingServer } from '../../src/demo/signalling-server.ts';
import { WhiteboardServer } from '../../src/demo/whiteboard-server.ts';
import { Resources, type Closable } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import type { ClassroomSource } from '../../src/model/recording.ts';

/** A class of a whiteboard and signalling alone, without cameras: it starts at once. */
export type BoardClass = Closable & {
  readonly classroom: ClassroomSource;
  readonly whiteboardUrl: string;
  /** Who is connected to the whiteboard, the recorder included. */
  connections(): number;
};

/** Starts it on loopback. Close it. */
export async function startBoardClass(): Promise<BoardClass> {
  const resources = new Resources();
  const log = createLog('test', 'silent');
  const title = '白板 Whiteboard';
  const signalling = resources.use(new SignallingServer({ title, log }));
  const whiteboard = resources.use(new WhiteboardServer({ log }));
  const { port } = resources.use(
    await startClassroomServer({
      ...{ port: 0, feeds: new Map(), describe: () => ({}) },
      sockets: new Map([
        ['/signalling/class', signalling.sockets],
        ['/whiteboard/class', whiteboard.sockets],
      ]),
    }),
  );
  const whiteboardUrl = `ws://127.0.0.1:${port}/whiteboard/class`;
  return {
    whiteboardUrl,
    classroom: {
      ...{ title, whiteboardUrl, sources: [] },
      signallingUrl: `ws://127.0.0.1:${port}/signalling/class`,
    },
    connections: () => whiteboard.sockets.clients.size,
    close: () => resources.close(),
  };
}
