import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { ChalkreelError } from '../errors.ts';
import { Resources, type Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { ClassroomSource } from '../model/recording.ts';
import { CameraFeed } from './camera-feed.ts';
import { openCameraSfu, type CameraSfu } from './camera-sfu.ts';
import { CAST } from './cast.ts';
import { startScript } from './director.ts';
import { startClassroomServer } from './http-server.ts';
import { renderLoop } from './loops.ts';
import { joinClass } from './participant.ts';
import { DEMO_TITLE } from './script.ts';
import { SignallingServer, type SignallingCounts } from './signalling-server.ts';
import { WhiteboardServer } from './whiteboard-server.ts';

export type DemoClassroomOptions = {
  /** Folder for the cameras' drawn loops (about 20 MB), kept for the next start. */
  readonly dataDir: string;
  readonly log: Log;
  /** The class ends by itself after this; by default it goes on until closed. */
  readonly seconds?: number;
  /**
   * How cameras reach viewers: `hls` (default, low latency), or `whep`: WebRTC from a Janus of our own, Opus with H.264 and VP8 by
   * turns, behind a bearer token.
   */
  readonly sources?: CameraSources;
  /** Port on loopback; 0, the default, takes a free one. */
  readonly port?: number;
  /** Start a camera that died again, after 3 s. Default false: it stays dead until `restartCamera`. */
  readonly restartCameras?: boolean;
  /** Have the participants play the script. Default true; without it they only sit there. */
  readonly script?: boolean;
  readonly signal?: AbortSignal;
};

export type CameraSources = 'whep' | 'hls';

export type DemoHighlight = {
  readonly triggerId?: string;
  readonly beforeMs?: number;
  readonly afterMs?: number;
  readonly title?: string;
};

/** A real class in progress: cameras, signalling, whiteboard, participants who do things. */
export type DemoClassroom = Closable & {
  /** What a platform would POST to the API. */
  readonly classroom: ClassroomSource;
  readonly port: number;
  /** The teacher saves the moment, by a signalling message as any client would. */
  triggerHighlight(options?: DemoHighlight): Promise<{ readonly triggerId: string }>;
  /** The teacher ends the class. */
  endClass(reason?: string): void;
  /** Kills the generator of camera `i` (0 to 3); resolves when it is gone and its stream is off. */
  killCamera(i: number): Promise<void>;
  /** Starts camera `i` anew, whether it runs or not. */
  restartCamera(i: number): Promise<void>;
  /** Process ids of the generators that run. */
  cameraPids(): readonly number[];
  readonly signallingCounts: Readonly<SignallingCounts>;
};

const ROOM = 'grade8-maths';

/**
 * Starts the demo classroom on loopback; resolves when its participants have joined and its cameras run. Needs
 * ffmpeg, fonts and util-linux. Close it: nothing it started outlives it, nor outlives this process.
 */
export async function startDemoClassroom(options: DemoClassroomOptions): Promise<DemoClassroom> {
  const resources = new Resources();
  try {
    return await open(options, resources);
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function open(options: DemoClassroomOptions, resources: Resources): Promise<DemoClassroom> {
  const { log, signal } = options;
  signal?.throwIfAborted();
  const sfu = options.sources === 'whep' ? await startCameraSfu(options, resources) : undefined;
  const feeds = await startCameras(options, { resources, sfu });
  const signalling = resources.use(new SignallingServer({ title: DEMO_TITLE, log }));
  const whiteboard = resources.use(new WhiteboardServer({ log }));
  const server = resources.use(
    await startClassroomServer({
      port: options.port ?? 0,
      feeds: new Map(feeds.map((feed) => [feed.member.participantId, feed])),
      sockets: new Map([
        [`/signalling/${ROOM}`, signalling.sockets],
        [`/whiteboard/${ROOM}`, whiteboard.sockets],
      ]),
      describe: (port) => describeClassroom(port, sfu),
    }),
  );
  const classroom = describeClassroom(server.port, sfu);
  const { signallingUrl, whiteboardUrl } = classroom;
  const joined = await Promise.all(
    CAST.map(async (member) =>
      resources.use(await joinClass(member, { signallingUrl, whiteboardUrl })),
    ),
  );
  const [teacher] = joined;
  teacher?.say({ type: 'class-start' });
  if (options.script ?? true) resources.use(startScript(joined));
  if (options.seconds !== undefined) endAfter(options.seconds, signalling, resources);
  closeOnAbort(signal, resources, log);
  log.info({ port: server.port }, 'demo classroom started');
  return {
    classroom,
    port: server.port,
    close: () => resources.close(),
    triggerHighlight({ triggerId = `demo-${randomUUID()}`, ...window } = {}) {
      teacher?.say({ type: 'highlight', triggerId, ...window });
      return Promise.resolve({ triggerId });
    },
    endClass: (reason) => teacher?.say({ type: 'class-end', ...(reason && { reason }) }),
    killCamera: (i) => feedAt(feeds, i).kill(),
    restartCamera: (i) => feedAt(feeds, i).restart(),
    cameraPids: () => feeds.flatMap(({ pid }) => pid ?? []),
    signallingCounts: signalling.counts,
  };
}

async function startCameras(
  { dataDir, log, restartCameras = false, signal }: DemoClassroomOptions,
  { resources, sfu }: { readonly resources: Resources; readonly sfu: CameraSfu | undefined },
): Promise<CameraFeed[]> {
  const folder = path.join(dataDir, 'cameras');
  const loops = await Promise.all(CAST.map((member) => renderLoop(member, folder, signal)));
  return CAST.map((member, i) => {
    const loop = loops[i];
    if (loop === undefined) throw new Error(`no loop for camera ${i}`);
    const output = sfu?.outputs[i] ?? ({ kind: 'fmp4' } as const);
    return resources.use(new CameraFeed({ member, loop, output, log, restarts: restartCameras }));
  });
}

async function startCameraSfu(
  { dataDir, log }: DemoClassroomOptions,
  resources: Resources,
): Promise<CameraSfu> {
  const names = CAST.map(({ participantId }) => participantId);
  return resources.use(await openCameraSfu({ names, folder: path.join(dataDir, 'sfu'), log }));
}

function describeClassroom(
  port: number,
  sfu: CameraSfu | undefined,
): ClassroomSource & { whiteboardUrl: string } {
  return {
    title: DEMO_TITLE,
    signallingUrl: `ws://127.0.0.1:${port}/signalling/${ROOM}`,
    whiteboardUrl: `ws://127.0.0.1:${port}/whiteboard/${ROOM}`,
    sources: CAST.map(({ participantId, name, role }) => {
      const who = { participantId, name, role };
      if (sfu !== undefined) {
        return { ...who, kind: 'whep', url: sfu.urlOf(participantId), token: sfu.token };
      }
      const url = `http://127.0.0.1:${port}/camera/${participantId}/index.m3u8`;
      return { ...who, kind: 'hls', url };
    }),
  };
}

function endAfter(seconds: number, signalling: SignallingServer, resources: Resources): void {
  const timer = setTimeout(() => {
    signalling.endClass('class is over');
  }, seconds * 1000);
  resources.defer(() => {
    clearTimeout(timer);
  });
}

function closeOnAbort(signal: AbortSignal | undefined, resources: Resources, log: Log): void {
  if (signal === undefined) return;
  const onAbort = (): void => {
    resources.close().catch((error: unknown) => {
      log.error({ error: String(error) }, 'demo classroom did not close well');
    });
  };
  signal.addEventListener('abort', onAbort, { once: true });
  resources.defer(() => {
    signal.removeEventListener('abort', onAbort);
  });
}

function feedAt(feeds: readonly CameraFeed[], i: number): CameraFeed {
  const feed = feeds[i];
  if (feed !== undefined) return feed;
  throw new ChalkreelError(
    'unknown-camera',
    `Expected a camera from 0 to ${feeds.length - 1}, not ${i}.`,
    {
      fault: 'input',
      details: { field: 'camera' },
    },
  );
}
