import { randomBytes } from 'node:crypto';
import { Resources, type Closable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { CameraOutput } from './camera.ts';
import { findTcpPort, findUdpPorts } from './sfu/free-ports.ts';
import { startJanus, type Janus } from './sfu/janus.ts';
import { startWhepServer, type WhepServer, type WhepStream } from './sfu/whep-server.ts';

/** UDP ports that Janus may use for viewers; it takes those of them that are free. */
const RTP_PORTS = [20_000, 29_999] as const;
const CODECS = ['h264', 'vp8'] as const;

/** The SFU between the demo's cameras and whoever watches them by WebRTC. */
export type CameraSfu = Closable & {
  readonly janus: Janus;
  readonly whep: WhepServer;
  /** Where each camera sends its RTP, in the order of names. */
  readonly outputs: readonly Extract<CameraOutput, { kind: 'rtp' }>[];
  /** Bearer token of every stream. */
  readonly token: string;
  urlOf(name: string): string;
  /** Where a browser publishes a stream of `published`. */
  publishUrlOf(name: string): string;
};

/** Starts Janus with a stream for each name, H.264 and VP8 by turns, and a WHEP server before it. */
export async function openCameraSfu(options: {
  readonly names: readonly string[];
  /** Further streams, which browsers publish by WHIP. */
  readonly published?: readonly string[];
  readonly folder: string;
  readonly log: Log;
  /** Whether a token is good for a stream now; by default the one in the result is, for all. */
  readonly isAllowed?: (name: string, token: string) => boolean;
}): Promise<CameraSfu> {
  const { names, folder, log } = options;
  const token = randomBytes(18).toString('base64url');
  const ports = await findUdpPorts(2 * names.length);
  const outputs = names.map((_, i) => ({
    kind: 'rtp' as const,
    audioPort: ports[2 * i] ?? 0,
    videoPort: ports[2 * i + 1] ?? 0,
    videoCodec: CODECS[i % 2] ?? 'h264',
  }));
  const resources = new Resources();
  try {
    const janus = resources.use(
      await startJanus({
        folder,
        log,
        apiPort: await findTcpPort(),
        rtpPorts: RTP_PORTS,
        mountpoints: outputs.map((output, i) => ({ ...output, id: i + 1 })),
      }),
    );
    const { isAllowed = (_name, given) => given === token } = options;
    const asStream = (name: string, from: WhepStream['from']): [string, WhepStream] => [
      name,
      { from, isAllowed: (given) => isAllowed(name, given) },
    ];
    const streams = [
      ...names.map((name, i) => asStream(name, { mountpoint: i + 1 })),
      ...(options.published ?? []).map((name, i) => asStream(name, { feed: i + 1 })),
    ];
    const whep = resources.use(
      await startWhepServer({
        janusUrl: janus.apiUrl,
        log,
        streams: new Map(streams),
      }),
    );
    const close = (): Promise<void> => resources.close();
    return {
      ...{ janus, whep, outputs, token, close },
      urlOf: (name) => whep.urlOf(name),
      publishUrlOf: (name) => whep.publishUrlOf(name),
    };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
