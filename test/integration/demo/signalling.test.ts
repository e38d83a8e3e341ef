import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import {
  listenToSignalling,
  type ClassMessage,
  type SignallingClient,
} from '../../../recorder/classroom/signalling-client.ts';
import type { WholeSnapshot } from '../../../recorder/classroom/snapshot-assembly.ts';
import { startClassroomServer } from '../../../src/demo/http-server.ts';
import { SignallingServer } from '../../../src/demo/signalling-server.ts';
import { Resources } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import type { ServerMessage } from '../../../src/protocol/signalling.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Loopback, on a machine with all cores busy. */
const PATIENCE_MS = 15_000;
/** As few as still make a crowd. */
const STUDENTS = 100;
/** What is kept together is told this often at most: some more for who joins in between. */
const MAX_FRAMES_PER_SECOND = 1000 / 100 + 2;

let resources: Resources;
beforeEach(() => {
  resources = new Resources();
});
afterEach(() => resources.close());

describe('a crowd', () => {
  it('is told of everybody who comes, each once, in few messages', async () => {
    const signalling = resources.use(
      new SignallingServer({ title: '大课', log: createLog('test', 'silent') }),
    );
    const server = resources.use(
      await startClassroomServer({
        port: 0,
        feeds: new Map(),
        sockets: new Map([['/s', signalling.sockets]]),
        describe: () => ({}),
      }),
    );
    const beganMs = performance.now();
    const crowd = await Promise.all(
      Array.from({ length: STUDENTS }, (_, i) => join(`ws://127.0.0.1:${server.port}/s`, i)),
    );
    const isComplete = (): boolean => crowd.every(({ present }) => present.size === STUDENTS);
    await waitUntil('everybody to see everybody', isComplete, PATIENCE_MS);
    const seconds = (performance.now() - beganMs) / 1000;
    // The first thing is the snapshot, in one part or some.
    const most = Math.max(...crowd.map(({ frames }) => frames.length));
    expect(most).toBeLessThan(5 + MAX_FRAMES_PER_SECOND * seconds);
    for (const { joins } of crowd) expect(new Set(joins).size).toBe(joins.length);
  });
});

type Student = {
  readonly frames: string[];
  /** Who was told of by a message of their own. */
  readonly joins: string[];
  readonly present: Set<string>;
};

async function join(url: string, i: number): Promise<Student> {
  const socket = new WebSocket(url);
  resources.defer(() => socket.terminate());
  const student: Student = { frames: [], joins: [], present: new Set() };
  const hear = (message: ServerMessage): void => {
    if (message.type === 'join') {
      student.joins.push(message.participant.participantId);
      student.present.add(message.participant.participantId);
    } else if (message.type === 'snapshot' || message.type === 'snapshot-part') {
      for (const { participantId } of message.roster ?? []) student.present.add(participantId);
    }
  };
  socket.on('message', (data: Buffer) => {
    const text = String(data);
    student.frames.push(text);
    // The protocol is judged elsewhere, and a hundred listeners are many.
    const message = JSON.parse(text) as
      ServerMessage | { type: 'batch'; messages: ServerMessage[] };
    if (message.type === 'batch') message.messages.forEach(hear);
    else hear(message);
  });
  await once(socket, 'open');
  const participantId = `p${i}`;
  socket.send(
    JSON.stringify({ type: 'join', name: participantId, role: 'student', participantId }),
  );
  return student;
}

describe('the page’s client', () => {
  const browserSocket = globalThis.WebSocket;
  beforeAll(() => {
    // Node 20 has none; the one of `ws` is the same as a browser's.
    globalThis.WebSocket = WebSocket as unknown as typeof globalThis.WebSocket;
  });
  afterAll(() => {
    globalThis.WebSocket = browserSocket;
  });

  type Heard = {
    readonly client: SignallingClient;
    readonly snapshots: WholeSnapshot[];
    readonly messages: ClassMessage[];
    readonly states: string[];
    /** What the client said, connection by connection. */
    readonly said: unknown[][];
  };

  /** A client of a server that does as it is told for each connection, by its number. */
  async function listen(act: (socket: WebSocket, n: number) => void): Promise<Heard> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    let isOver = false;
    resources.defer(async () => {
      isOver = true;
      for (const socket of server.clients) socket.terminate();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    });
    const said: unknown[][] = [];
    server.on('connection', (socket) => {
      const mine: unknown[] = [];
      const n = said.push(mine) - 1;
      socket.on('message', (data: Buffer) => {
        mine.push(JSON.parse(String(data)));
        if (mine.length === 1 && !isOver) act(socket, n);
      });
    });
    const { port } = server.address() as { port: number };
    const heard = { snapshots: [], messages: [], states: [], said } as unknown as Heard;
    const client = listenToSignalling(`ws://127.0.0.1:${port}`, {
      onSnapshot: (snapshot) => heard.snapshots.push(snapshot),
      onMessages: (messages) => heard.messages.push(...messages),
      onState: (state) => heard.states.push(state),
    });
    resources.defer(() => client.close());
    return Object.assign(heard, { client });
  }

  const snapshot = {
    ...{ type: 'snapshot', participantId: 'me', title: '数学', roster: [], chat: [], hands: [] },
    ...{ layout: 'gallery', spotlight: null, highlights: [], nowMs: 1 },
    ...{ startedAtMs: null, endedAtMs: null },
  };
  const send = (socket: WebSocket, ...messages: object[]): void => {
    for (const message of messages) socket.send(JSON.stringify(message));
  };

  it('puts a snapshot together, and hears what comes meanwhile after it', async () => {
    const wang = { participantId: 'wang', name: '王', role: 'student', muted: false };
    const heard = await listen((socket) =>
      send(
        socket,
        { ...snapshot, parts: 2, hands: ['a'] },
        { type: 'snapshot-part', roster: [wang] },
        { type: 'leave', participantId: 'wang' },
        { type: 'snapshot-part', hands: ['b'] },
      ),
    );
    await waitUntil('the message', () => heard.messages.length > 0, PATIENCE_MS);
    expect(heard.snapshots).toMatchObject([{ roster: [wang], hands: ['a', 'b'] }]);
    expect(heard.messages).toEqual([{ type: 'leave', participantId: 'wang' }]);
  });

  it('gives up a server that falls silent, comes back, and says again that it records', async () => {
    const heard = await listen((socket) => send(socket, { ...snapshot, heartbeatMs: 1000 }));
    await waitUntil('a snapshot', () => heard.snapshots.length > 0, PATIENCE_MS);
    heard.client.announce('started');
    await waitUntil('another snapshot', () => heard.snapshots.length > 1, PATIENCE_MS);
    expect(heard.states).toEqual(['open', 'reconnecting', 'open']);
    const recording = { type: 'recording', state: 'started' };
    const isSaid = (): boolean => heard.said[1]?.length === 2;
    await waitUntil('the second announcement', isSaid, PATIENCE_MS);
    const hello = { type: 'join', name: 'Chalkreel', role: 'recorder' };
    expect(heard.said.slice(0, 2)).toEqual([
      [hello, recording],
      [hello, recording],
    ]);
  });

  it('counts what it does not act on, and gives up a server that floods it', async () => {
    const heard = await listen((socket, n) => {
      send(socket, snapshot, { type: 'confetti' }, { type: 'mute' }, { type: 'mute' });
      socket.send(`{"type":"chat","text":"${'x'.repeat(600_000)}"}`);
      const flood = Array.from({ length: 900 }, () => ({ type: 'confetti' }));
      // Seven times what one second may bring: a busy machine hears it in several.
      if (n === 0) for (let i = 0; i < 40; i += 1) send(socket, { type: 'batch', messages: flood });
    });
    await waitUntil('another snapshot', () => heard.snapshots.length > 1, PATIENCE_MS);
    const isCounted = (): boolean => heard.client.ignored().oversized === 2;
    await waitUntil('the second connection to be heard', isCounted, PATIENCE_MS);
    const { malformed, unknown } = heard.client.ignored();
    expect(malformed).toBe(4);
    expect(unknown).toBeLessThan(2 + 40 * 900);
    expect(heard.states.slice(0, 3)).toEqual(['open', 'reconnecting', 'open']);
  });
});
