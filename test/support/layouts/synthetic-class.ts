import { startClassroomServer } from '../../../src/demo/http-server.ts';
import { CAST, type CastMember } from '../../../src/demo/cast.ts';
import { joinClass } from '../../../src/demo/participant.ts';
import { SignallingServer } from '../../../src/demo/signalling-server.ts';
import { WhiteboardServer } from '../../../src/demo/whiteboard-server.ts';
import { Resources, type Closable } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import type { ClassroomSource, StreamSource } from '../../../src/model/recording.ts';
import type { ClientMessage } from '../../../src/protocol/signalling.ts';

type Member = {
  readonly participantId: string;
  readonly name: string;
  readonly role: 'teacher' | 'tutor' | 'student';
  readonly says: readonly ClientMessage[];
};

const chat = (text: string): ClientMessage => ({ type: 'chat', text });

/** Names in several scripts, one too long for any tile, and each mark once. */
const MEMBERS: readonly Member[] = [
  {
    participantId: 'li',
    name: '李老师 Ms Li',
    role: 'teacher',
    says: [chat('同学们好！Good morning!')],
  },
  { participantId: 'amin', name: 'محمد الأمين', role: 'tutor', says: [chat('صباح الخير')] },
  {
    participantId: 'wang',
    name: '王小明 🎈🚀',
    role: 'student',
    says: [{ type: 'raise-hand', raised: true }, chat('老师好！👋 <b>x</b>')],
  },
  {
    participantId: 'noa',
    name: 'נועה כהן',
    role: 'student',
    says: [{ type: 'mute', muted: true }],
  },
  {
    participantId: 'max',
    name: 'Maximiliane Freifrau von Hohenstein-Oberndorff',
    role: 'student',
    says: [],
  },
  { participantId: 'ada', name: '👩🏽‍🚀 Ada', role: 'student', says: [] },
];
/** Who is in the spotlight. */
export const SPOTLIT = 'max';

/** A class in which nothing moves: everybody is there, with names, marks and chat, and no camera can be had. Close it. */
export async function openSyntheticClass(): Promise<
  Closable & { readonly classroom: ClassroomSource; readonly size: number }
> {
  const resources = new Resources();
  try {
    const log = createLog('test', 'silent');
    const title = '初二数学 · 勾股定理 — Grade 8 Maths';
    const signalling = resources.use(new SignallingServer({ title, log }));
    const whiteboard = resources.use(new WhiteboardServer({ log }));
    const server = resources.use(
      await startClassroomServer({
        port: 0,
        feeds: new Map(),
        sockets: new Map([
          ['/signalling/still', signalling.sockets],
          ['/whiteboard/still', whiteboard.sockets],
        ]),
        describe: () => ({}),
      }),
    );
    const base = `127.0.0.1:${server.port}`;
    const signallingUrl = `ws://${base}/signalling/still`;
    const whiteboardUrl = `ws://${base}/whiteboard/still`;
    for (const { says, ...self } of MEMBERS) {
      const member = { ...self, toneHz: 0, look: CAST[0].look } as CastMember;
      const joined = resources.use(await joinClass(member, { signallingUrl, whiteboardUrl }));
      for (const message of says) joined.say(message);
      if (self.role === 'teacher') joined.say({ type: 'spotlight', participantId: SPOTLIT });
    }
    const sources = MEMBERS.map(({ participantId, name, role }): StreamSource => {
      const url = `http://${base}/camera/${participantId}/index.m3u8`;
      return { participantId, name, role, kind: 'hls', url };
    });
    return {
      classroom: { title, signallingUrl, whiteboardUrl, sources },
      size: MEMBERS.length,
      close: () => resources.close(),
    };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
