import { openCameraSfu, type CameraSfu } from '../../../src/demo/camera-sfu.ts';
import { startClassroomServer } from '../../../src/demo/http-server.ts';
import { SignallingServer } from '../../../src/demo/signalling-server.ts';
import { WhiteboardServer } from '../../../src/demo/whiteboard-server.ts';
import { Resources, type Closable } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import type { ClassroomSource, StreamSource } from '../../../src/model/recording.ts';
import { makeTempFolder } from '../temp-folder.ts';
import { startPublisher, type RtpPublisher } from './rtp-publisher.ts';

/** Who may be in a class of a test: voices far enough apart for a window of 100 ms. */
export const PUPILS = [
  { participantId: 'anna', name: 'Anna', role: 'teacher', toneHz: 400 },
  { participantId: 'bo', name: 'Bo', role: 'student', toneHz: 600 },
  { participantId: 'chen', name: 'Chen', role: 'student', toneHz: 800 },
  { participantId: 'dora', name: 'Dora', role: 'student', toneHz: 1000 },
] as const;
export type PupilId = (typeof PUPILS)[number]['participantId'];

/** Who may publish from a browser, by WHIP. */
export const BROWSER_PUPIL = {
  participantId: 'eva',
  name: 'Eva',
  role: 'student',
  toneHz: 1400,
} as const;
const EVERYBODY = [...PUPILS, BROWSER_PUPIL];
export type AnybodyId = (typeof EVERYBODY)[number]['participantId'];

/** A class of four whose streams go through a real SFU: publishers, Janus, WHEP and signalling, all on loopback. */
export type SfuClass = Closable & {
  readonly sfu: CameraSfu;
  /** Of those who send RTP. */
  readonly publishers: Readonly<Record<PupilId, RtpPublisher>>;
  /** The tokens that are good now, by stream. Change it, and the next request is judged by it. */
  readonly tokens: Map<string, string>;
  readonly signalling: SignallingServer;
  /** A stream as a platform would name it now. */
  sourceOf(
    id: AnybodyId,
    change?: { readonly token?: string; readonly url?: string },
  ): StreamSource;
  /** The class as a platform would POST it, with these streams. */
  describe(sources: readonly StreamSource[]): ClassroomSource;
};

/** Starts it; `rtp` are those who send, by default all. */
export async function startSfuClass(
  options: {
    readonly fps?: number;
    readonly moves?: boolean;
    readonly rtp?: readonly PupilId[];
  } = {},
): Promise<SfuClass> {
  const resources = new Resources();
  try {
    const log = createLog('test', 'silent');
    const folder = resources.use(await makeTempFolder('sfu'));
    const senders = PUPILS.filter(({ participantId: id }) => options.rtp?.includes(id) ?? true);
    const names = senders.map(({ participantId }) => participantId);
    const tokens = new Map<string, string>(
      EVERYBODY.map(({ participantId: id }) => [id, `${id}-1`]),
    );
    const sfu = resources.use(
      await openCameraSfu({
        names,
        published: [BROWSER_PUPIL.participantId],
        folder: `${folder.path}/janus`,
        log,
        isAllowed: (name, token) => tokens.get(name) === token,
      }),
    );
    const signalling = resources.use(new SignallingServer({ title: 'Streams', log }));
    const whiteboard = resources.use(new WhiteboardServer({ log }));
    const server = resources.use(
      await startClassroomServer({
        port: 0,
        feeds: new Map(),
        sockets: new Map([
          ['/signalling', signalling.sockets],
          ['/whiteboard/test', whiteboard.sockets],
        ]),
        describe: () => ({}),
      }),
    );
    const publishers = senders.map(({ participantId, toneHz }, i) => {
      const output = sfu.outputs[i];
      if (output === undefined) throw new Error(`no ports for ${participantId}`);
      const { rtp: _, ...film } = options;
      return [
        participantId,
        resources.use(startPublisher({ ...output, toneHz, ...film })),
      ] as const;
    });
    return {
      sfu,
      tokens,
      signalling,
      publishers: Object.fromEntries(publishers) as Record<PupilId, RtpPublisher>,
      sourceOf: (id, change = {}) => {
        const { participantId, name, role } = EVERYBODY.find((one) => one.participantId === id)!;
        const url = sfu.urlOf(id);
        return { participantId, name, role, kind: 'whep', url, token: `${id}-1`, ...change };
      },
      describe: (sources) => ({
        title: 'Streams',
        signallingUrl: `ws://127.0.0.1:${server.port}/signalling`,
        whiteboardUrl: `ws://127.0.0.1:${server.port}/whiteboard/test`,
        sources,
      }),
      close: () => resources.close(),
    };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
