import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { CAST } from '../../../src/demo/cast.ts';
import { startDemoClassroom, type DemoClassroom } from '../../../src/demo/classroom.ts';
import { openBoardClient, type BoardClient } from '../../../src/demo/drawing.ts';
import { findPictureClock } from '../../../src/demo/picture-clock.ts';
import { createLog } from '../../../src/log.ts';
import {
  MAX_SIGNALLING_BYTES,
  parseServerMessages,
  type ClientMessage,
  type ServerMessage,
} from '../../../src/protocol/signalling.ts';
import { DEFAULT_PAGE, elementsName } from '../../../src/protocol/whiteboard.ts';
import { decodeCamera } from './decode-camera.ts';

/** Everything here is on loopback; a machine with all cores busy answers within this. */
const PATIENCE_MS = 5000;
/** A camera's newest whole segment is at most 2 s old when it is listed; the rest is a busy machine. */
const MAX_CAMERA_DELAY_MS = 4000;
const log = createLog('test', 'silent');
const wait = { timeout: PATIENCE_MS, interval: 20 };

let dataDir: string;
let demo: DemoClassroom;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'chalkreel-demo-'));
  demo = await startDemoClassroom({ dataDir, log, script: false });
}, 30_000);

afterAll(async () => {
  await demo.close();
  await rm(dataDir, { recursive: true, force: true });
});

type Client = {
  heard: ServerMessage[];
  socket: WebSocket;
  say(message: ClientMessage): void;
  /** The first message of a type, once it has come. */
  hear<T extends ServerMessage['type']>(type: T): Promise<Extract<ServerMessage, { type: T }>>;
};

async function connect(join?: Extract<ClientMessage, { type: 'join' }>): Promise<Client> {
  const socket = new WebSocket(demo.classroom.signallingUrl);
  const heard: ServerMessage[] = [];
  socket.on('message', (data) => {
    for (const parsed of parseServerMessages((data as Buffer).toString())) {
      if (parsed.kind !== 'message') throw new Error(`server broke the protocol: ${parsed.kind}`);
      heard.push(parsed.message);
    }
  });
  await once(socket, 'open');
  const client: Client = {
    heard,
    socket,
    say: (message) => {
      socket.send(JSON.stringify(message));
    },
    hear: (type) =>
      vi.waitFor(() => {
        const found = heard.find((message) => message.type === type);
        if (found === undefined) throw new Error(`no ${type} among ${heard.length} messages`);
        return found as never;
      }, wait),
  };
  if (join !== undefined) {
    client.say(join);
    await client.hear('snapshot');
  }
  return client;
}

describe('signalling', () => {
  it('shows the four participants to who joins, and tells them of chat and leaving', async () => {
    const listener = await connect({ type: 'join', name: 'R', role: 'recorder' });
    const snapshot = await listener.hear('snapshot');
    expect(snapshot.roster.map(({ name }) => name).sort()).toEqual(
      CAST.map(({ name }) => name).sort(),
    );
    const guest = await connect({ type: 'join', name: '客人', role: 'student' });
    const { participantId } = await guest.hear('snapshot');
    guest.say({ type: 'chat', text: '大家好 🎉' });
    expect((await listener.hear('chat')).line).toMatchObject({ text: '大家好 🎉', participantId });
    guest.socket.close();
    expect(await listener.hear('leave')).toMatchObject({ participantId });
    listener.socket.close();
  });

  it('answers malformed messages, ignores unknown ones, and stays open', async () => {
    const client = await connect();
    const before = { ...demo.signallingCounts };
    client.socket.send('{"type":"confetti"}');
    client.socket.send('{"type":"chat"');
    expect(await client.hear('error')).toMatchObject({ code: 'malformed', field: 'type' });
    expect(demo.signallingCounts.unknown).toBe(before.unknown + 1);
    expect(demo.signallingCounts.refused).toBe(before.refused + 1);
    expect(client.heard).toHaveLength(1);
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
    client.socket.close();
  });

  it('refuses an oversized message, naming the limit, and closes', async () => {
    const client = await connect();
    const closed = once(client.socket, 'close');
    client.socket.send(JSON.stringify({ type: 'chat', text: 'x'.repeat(MAX_SIGNALLING_BYTES) }));
    const error = await client.hear('error');
    expect(error.message).toContain(`at most ${MAX_SIGNALLING_BYTES} bytes`);
    const [code] = (await closed) as [number];
    expect(code).toBe(1009);
  });

  it('carries the moment the teacher saves to every listener', async () => {
    const listener = await connect({ type: 'join', name: 'R', role: 'recorder' });
    const { triggerId } = await demo.triggerHighlight({ title: '勾股定理的证明', beforeMs: 8000 });
    const { moment } = await listener.hear('highlight');
    expect(moment).toMatchObject({ triggerId, title: '勾股定理的证明', beforeMs: 8000 });
    listener.socket.close();
  });
});

describe('whiteboard', () => {
  const url = (role?: string): string =>
    (demo.classroom.whiteboardUrl ?? '') + (role === undefined ? '' : `?role=${role}`);
  const pageOf = ({ doc }: BoardClient): unknown => doc.getMap(elementsName(DEFAULT_PAGE)).toJSON();

  it('brings one client’s stroke to another, and to one who comes later', async () => {
    const [one, two] = [openBoardClient(url()), openBoardClient(url())];
    const extend = one.beginStroke({ points: [5, 5, 15, 15], color: '#ff0000', width: 2 });
    extend([25, 35]);
    const element = expect.objectContaining({ type: 'freedraw', x: 5, y: 5 }) as unknown;
    const expected = [{ element, points: [0, 0, 10, 10, 20, 30] }];
    await vi.waitFor(() => {
      expect(Object.values(pageOf(two) as object)).toEqual(expected);
    }, wait);
    const late = openBoardClient(url());
    await late.ready();
    expect(Object.values(pageOf(late) as object)).toEqual(expected);
    one.clear();
    await vi.waitFor(() => {
      expect(pageOf(late)).toEqual({});
    }, wait);
    await Promise.all([one, two, late].map((client) => client.close()));
  });

  it('takes nothing from the recorder, who hears everything and is seen by nobody', async () => {
    const [teacher, recorder] = [openBoardClient(url()), openBoardClient(url('recorder'))];
    await Promise.all([teacher.ready(), recorder.ready()]);
    recorder.addText({ x: 0, y: 0, text: 'not mine to write', size: 20, color: '#000000' });
    recorder.laser({ x: 1, y: 1 });
    teacher.laser({ x: 2, y: 2 });
    const id = teacher.addText({ x: 0, y: 0, text: '老师', size: 20, color: '#000000' });
    await vi.waitFor(() => {
      expect(Object.keys(pageOf(recorder) as object)).toContain(id);
    }, wait);
    // what the recorder sent was on its way before the teacher's text was
    expect(Object.keys(pageOf(teacher) as object)).toEqual([id]);
    const late = openBoardClient(url());
    await late.ready();
    expect(Object.keys(pageOf(late) as object)).toEqual([id]);
    await vi.waitFor(() => {
      expect(late.present()).toContain(teacher.doc.clientID);
    }, wait);
    expect(late.present()).not.toContain(recorder.doc.clientID);
    teacher.clear();
    await Promise.all([teacher, recorder, late].map((client) => client.close()));
  });

  it('closes a connection that does not speak its language, and serves the others', async () => {
    const stranger = new WebSocket(demo.classroom.whiteboardUrl ?? '');
    await once(stranger, 'open');
    const closed = once(stranger, 'close');
    stranger.send(Buffer.from([0, 2, 255, 255, 255, 255]));
    const [code] = (await closed) as [number];
    expect(code).toBe(1007);
    const client = openBoardClient(url());
    await client.ready();
    await client.close();
  });
});

describe('cameras', () => {
  it.each([0, 1, 2, 3])('camera %i shows the present time and sounds its own tone', async (i) => {
    const url = demo.classroom.sources[i]?.url ?? '';
    const { picture, loudestOf } = await vi.waitFor(() => decodeCamera(url), wait);
    const whole = { x: 0, y: 0, width: picture.width, height: picture.height };
    const nowMs = Date.now();
    const shownMs = findPictureClock(picture, whole, nowMs) ?? 0;
    expect(nowMs - shownMs).toBeGreaterThanOrEqual(0);
    expect(nowMs - shownMs).toBeLessThan(MAX_CAMERA_DELAY_MS);
    expect(loudestOf(CAST.map(({ toneHz }) => toneHz))).toBe(CAST[i]?.toneHz);
  });

  it('says that a killed camera is off, and serves it again when restarted', async () => {
    const url = demo.classroom.sources[2]?.url ?? '';
    await demo.killCamera(2);
    expect(demo.cameraPids()).toHaveLength(3);
    expect((await fetch(url)).status).toBe(503);
    await demo.restartCamera(2);
    expect(demo.cameraPids()).toHaveLength(4);
    // the request itself waits for the first picture
    expect((await fetch(url)).status).toBe(200);
  });

  it('answers what it does not have with 404', async () => {
    const base = `http://127.0.0.1:${demo.port}`;
    const paths = ['/camera/nobody/index.m3u8', '/camera/teacher-li/9999999.m4s', '/x', '//'];
    for (const each of paths) expect((await fetch(base + each)).status).toBe(404);
  });
});

describe('ends', () => {
  it('says which port is taken', async () => {
    const starting = startDemoClassroom({ dataDir, log, port: demo.port });
    await expect(starting).rejects.toMatchObject({ code: 'port-in-use', fault: 'input' });
  });

  it('ends the class after its seconds, and leaves no process behind', async () => {
    const short = await startDemoClassroom({ dataDir, log, seconds: 0.5 });
    const pids = short.cameraPids();
    expect(pids).toHaveLength(4);
    const socket = new WebSocket(short.classroom.signallingUrl);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'join', name: 'R', role: 'recorder' }));
    let isOver = false;
    // On a busy machine it is over before this one has joined: then the snapshot says so.
    const isEnd = /"type":"class-end"|"endedAtMs":\d/;
    socket.on('message', (data) => (isOver ||= isEnd.test((data as Buffer).toString())));
    await vi.waitFor(() => {
      expect(isOver).toBe(true);
    }, wait);
    await Promise.all([short.close(), short.close()]);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('leaves no camera behind when it is killed with -9', async () => {
    const program = path.join(import.meta.dirname, 'run-classroom.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', program, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    expect(pids.filter(isAlive)).toHaveLength(4);
    child.kill('SIGKILL');
    await vi.waitFor(() => {
      expect(pids.filter(isAlive)).toEqual([]);
    }, wait);
  }, 20_000);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
