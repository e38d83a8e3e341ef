import path from 'node:path';
import type { Closable } from '../../../src/lifecycle.ts';
import { Resources } from '../../../src/lifecycle.ts';
import { pictureClockFilters } from '../../../src/demo/picture-clock.ts';
import { launchTestBrowser } from '../browser.ts';
import { servePages } from '../page-server.ts';
import { runProgram } from '../programs.ts';

/** Length of film and tone, which Chrome repeats: a whole number of the clock's steps and of the tone's periods. */
export const FILM_MS = 12_800;
const FILM_FPS = 15;

/** A browser that publishes film and tone as its camera and microphone. */
export type BrowserPublisher = Closable & {
  /** Publishes by WHIP (RFC 9725); resolves when WebRTC is connected. Throws with the server's answer when it refuses. */
  publish(options: {
    readonly url: string;
    readonly token: string;
    readonly codec: 'VP8' | 'H264';
  }): Promise<void>;
  /** Answers a viewer's offer with an SDP of its own, as a WHEP server does; `end` closes that connection. */
  answer(offer: string): Promise<{ readonly id: number; readonly sdp: string }>;
  end(id: number): Promise<void>;
};

/**
 * Starts a real Chrome whose camera and microphone are files: 320×180 gray with the cameras' clock, counted from the film's
 * beginning, and a sine of −20 dB. Needs ffmpeg; `folder` keeps the files.
 */
export async function startBrowserPublisher(options: {
  readonly folder: string;
  readonly toneHz: number;
}): Promise<BrowserPublisher> {
  const resources = new Resources();
  try {
    const { film, tone } = await makeFiles(options.folder, options.toneHz);
    const site = resources.use(await servePages({ '/': PAGE }));
    const browser = await launchTestBrowser([
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${film}`,
      `--use-file-for-fake-audio-capture=${tone}`,
      '--disable-features=WebRtcHideLocalIpsWithMdns',
      '--disable-renderer-backgrounding',
      '--disable-background-timer-throttling',
    ]);
    resources.defer(() => browser.close());
    const page = await browser.newPage();
    await page.goto(site.url);
    const call = (name: string, argument: unknown): Promise<unknown> =>
      page.evaluate(`${name}(${JSON.stringify(argument)})`);
    return {
      publish: async (to) => {
        await call('publish', to);
      },
      answer: async (offer) =>
        (await call('answer', offer)) as Awaited<ReturnType<BrowserPublisher['answer']>>,
      end: async (id) => {
        await call('end', id);
      },
      close: () => resources.close(),
    };
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function makeFiles(
  folder: string,
  toneHz: number,
): Promise<{ readonly film: string; readonly tone: string }> {
  const [film, tone] = [path.join(folder, 'film.y4m'), path.join(folder, 'tone.wav')];
  const seconds = String(FILM_MS / 1000);
  const gray = `color=c=0x7a8a99:s=320x180:r=${FILM_FPS}`;
  const sine = `sine=frequency=${toneHz}:sample_rate=48000`;
  const quiet = ['-v', 'error', '-nostdin', '-y'];
  await Promise.all([
    runProgram('ffmpeg', [
      ...[...quiet, '-f', 'lavfi', '-t', seconds, '-i', gray, '-vf', pictureClockFilters().join()],
      ...['-pix_fmt', 'yuv420p', film],
    ]),
    // ffmpeg's sine is an eighth of full scale
    runProgram('ffmpeg', [
      ...[...quiet, '-f', 'lavfi', '-t', seconds, '-i', sine, '-af', 'volume=-1.94dB'],
      ...['-ac', '2', tone],
    ]),
  ]);
  return { film, tone };
}

/** Plain browser JavaScript: what anybody's publishing page does, voice processing switched off. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>Publisher</title><script>
const media = navigator.mediaDevices.getUserMedia({
  video: { width: 320, height: 180, frameRate: ${FILM_FPS} },
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
});
const connections = new Map();

async function gathered(connection) {
  if (connection.iceGatheringState === 'complete') return connection.localDescription.sdp;
  await new Promise((resolve) => {
    setTimeout(resolve, 500);
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete') resolve();
    });
  });
  return connection.localDescription.sdp;
}

async function publish({ url, token, codec }) {
  const stream = await media;
  const connection = new RTCPeerConnection();
  for (const track of stream.getTracks()) {
    const transceiver = connection.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
    if (track.kind === 'audio') continue;
    const { codecs } = RTCRtpSender.getCapabilities('video');
    transceiver.setCodecPreferences(codecs.filter(({ mimeType, sdpFmtpLine = '' }) =>
      mimeType === 'video/' + codec && (codec === 'VP8' || /packetization-mode=1.*42e01f/.test(sdpFmtpLine))));
  }
  await connection.setLocalDescription();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp', authorization: 'Bearer ' + token },
    body: await gathered(connection),
  });
  if (response.status !== 201) throw new Error(response.status + ' ' + await response.text());
  const connected = new Promise((resolve, reject) => {
    connection.addEventListener('connectionstatechange', () => {
      if (connection.connectionState === 'connected') resolve();
      if (connection.connectionState === 'failed') reject(new Error('WebRTC: no connection'));
    });
  });
  await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  await connected;
}

async function answer(offer) {
  const stream = await media;
  const connection = new RTCPeerConnection();
  const id = connections.size;
  connections.set(id, connection);
  await connection.setRemoteDescription({ type: 'offer', sdp: offer });
  for (const transceiver of connection.getTransceivers()) {
    const track = stream.getTracks().find(({ kind }) => kind === transceiver.receiver.track.kind);
    await transceiver.sender.replaceTrack(track);
    transceiver.direction = 'sendonly';
  }
  await connection.setLocalDescription();
  return { id, sdp: await gathered(connection) };
}

function end(id) {
  connections.get(id).close();
}
</script>`;
