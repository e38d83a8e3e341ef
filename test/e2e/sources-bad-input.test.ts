import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClassroomState, TileState } from '../../recorder/classroom/state.ts';
import { recordOnce } from '../../recorder/once.ts';
import { loadConfig } from '../../src/config.ts';

import { findTcpPort, findUdpPorts } from '../../src/demo/sfu/free-ports.ts';
import { startJanus } from '../../src/demo/sfu/janus.ts';
import { startWhepServer } from '../../src/demo/sfu/whep-server.ts';
import { Resources } from '../../src/lifecycle.ts';
import { createLog } from '../../src/log.ts';
import type { ClassroomSource, StreamSource } from '../../src/model/recording.ts';
import type { SourceErrorCode } from '../../src/model/source-report.ts';
import { recordingSettingsSchema } from '../../src/protocol/recording-request.ts';
import { launchTestBrowser } from '../support/browser.ts';
import { serveBuiltPages } from '../support/built-pages.ts';
import { evaluate } from '../support/page-picture.ts';
import { serveOnLoopback } from '../support/page-server.ts';
import { runProgram } from '../support/programs.ts';
import { startPublisher } from '../support/sources/rtp-publisher.ts';
import { startSfuClass } from '../support/sources/sfu-class.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Four tries in vain make a source failed; the slowest bad one here takes 4 s for each. */
const PATIENCE_MS = 60_000;
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*, authorization',
};

type Bad = {
  readonly what: string;
  readonly source: StreamSource;
  readonly error: SourceErrorCode;
  /** What its tile says. */
  readonly says: string;
};

/** Sources that cannot be shown, each by a real server's doing, and a good one among them. */
async function openBadSources(
  resources: Resources,
): Promise<{ readonly classroom: ClassroomSource; readonly bad: readonly Bad[] }> {
  const log = createLog('test', 'silent');
  const folder = resources.use(await makeTempFolder('bad-sources'));
  const room = resources.use(await startSfuClass());
  const media = await makeMedia(folder.path);
  const files = resources.use(
    await serveOnLoopback((request, response) => {
      const name = (request.url ?? '/').slice(1);
      const answer = media[name];
      if (request.method === 'OPTIONS') response.writeHead(204, CORS).end();
      else if (name === 'garbage-sdp') {
        const headers = { ...CORS, 'content-type': 'application/sdp', location: '/session' };
        response.writeHead(201, headers).end('v=0\r\no=nonsense\r\nm=audio what\r\n');
      } else if (answer === undefined) response.writeHead(404, CORS).end();
      else response.writeHead(200, { ...CORS, 'content-type': answer.type }).end(answer.body);
    }),
  );
  const h265 = await openH265(resources, `${folder.path}/h265`);
  let count = 0;
  const of = (
    what: string,
    kind: StreamSource['kind'],
    url: string,
    rest: Pick<Bad, 'error' | 'says'> & { readonly token?: string },
  ): Bad => {
    const participantId = `bad-${++count}`;
    const { error, says, token } = rest;
    const common = { participantId, name: what, role: 'student' as const, url };
    const source: StreamSource =
      kind === 'whep'
        ? { ...common, kind, ...(token === undefined ? {} : { token }) }
        : { ...common, kind };
    return { what, source, error, says };
  };
  const nobody = `http://127.0.0.1:${await closedPort()}`;
  const bad = [
    // first, so that it is on screen: of a tile that is not, only the sound is asked for
    of('H.265', 'whep', h265, {
      ...{ error: 'codec-unsupported', says: 'Codec not supported' },
    }),
    of('nobody there', 'whep', `${nobody}/whep/x`, { error: 'unreachable', says: 'unreachable' }),
    of('wrong token', 'whep', room.sfu.urlOf('anna'), {
      ...{ error: 'unauthorized', says: 'Not authorised', token: 'wrong' },
    }),
    of('wrong name', 'whep', room.sfu.urlOf('nobody'), {
      ...{ error: 'not-found', says: 'No such stream', token: 'x' },
    }),
    of('SDP garbage', 'whep', `${files.url}/garbage-sdp`, {
      ...{ error: 'bad-answer', says: 'Answer not understood' },
    }),
    of('no playlist', 'hls', `${files.url}/noise`, {
      ...{ error: 'bad-answer', says: 'Answer not understood' },
    }),
    of('no film', 'file', `${files.url}/noise`, {
      ...{ error: 'bad-media', says: 'Cannot be decoded' },
    }),
    of('a film in MPEG-4 part 2', 'file', `${files.url}/old.mp4`, {
      ...{ error: 'codec-unsupported', says: 'Codec not supported' },
    }),
  ];
  const sources = [room.sourceOf('bo'), ...bad.map(({ source }) => source)];
  return { classroom: room.describe(sources), bad };

  async function openH265(own: Resources, at: string): Promise<string> {
    const [audioPort = 0, videoPort = 0] = await findUdpPorts(2);
    const stream = { id: 1, audioPort, videoPort, videoCodec: 'h265' } as const;
    const janus = own.use(
      await startJanus({
        ...{ folder: at, log, apiPort: await findTcpPort() },
        ...{ mountpoints: [stream], rtpPorts: [20_000, 29_999] },
      }),
    );
    own.use(startPublisher({ ...stream, toneHz: 500 }));
    const streams = new Map([['x', { from: { mountpoint: 1 } }]]);
    const whep = own.use(await startWhepServer({ janusUrl: janus.apiUrl, streams, log }));
    return whep.urlOf('x');
  }
}

async function makeMedia(
  folder: string,
): Promise<Readonly<Record<string, { readonly type: string; readonly body: Buffer | string }>>> {
  const film = path.join(folder, 'old.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=10:duration=2'];
  await runProgram('ffmpeg', ['-v', 'error', ...picture, '-c:v', 'mpeg4', film]);
  const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251));
  return {
    'old.mp4': { type: 'video/mp4', body: await readFile(film) },
    noise: { type: 'video/mp4', body: noise },
  };
}

/** A port of this machine on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('sources that cannot be shown', () => {
  const resources = new Resources();
  let classroom: ClassroomSource;
  let bad: readonly Bad[];

  beforeAll(async () => {
    ({ classroom, bad } = await openBadSources(resources));
  });
  afterAll(() => resources.close());

  it('are named on their tiles, and do not keep a good one away', async () => {
    const browser = await launchTestBrowser();
    const pages = await serveBuiltPages();
    try {
      const page = await browser.newPage();
      await page.goto(pages.classroomUrl(classroom));
      const tilesOf = async (): Promise<readonly TileState[]> =>
        (await evaluate<ClassroomState>(page, 'window.classroomState()')).tiles;
      const errors = await waitUntil(
        'all bad ones have failed',
        async () => {
          const [, ...tiles] = await tilesOf();
          return tiles.every(({ state }) => state === 'failed') && tiles.map((one) => one.error);
        },
        PATIENCE_MS,
      );
      const named = bad.map(({ what }, i) => [what, errors[i]]);
      expect(named).toEqual(bad.map(({ what, error }) => [what, error]));
      const texts = await evaluate<string[]>(
        page,
        `[...document.querySelectorAll('.tile-note')].map((note) => note.textContent)`,
      );
      for (const [i, { what, error, says }] of bad.entries()) {
        expect(texts[i + 1], what).toContain(says);
        expect(texts[i + 1], what).toContain(error);
      }
      const [good] = await tilesOf();
      expect(good).toMatchObject({ state: 'playing', error: null });
    } finally {
      await browser.close();
      await pages.close();
    }
  });

  it('are named in the report, and do not stop the recording', async () => {
    const folder = resources.use(await makeTempFolder('bad-report'));
    const { progress, end } = await recordOnce({
      source: { kind: 'classroom', classroom },
      settings: recordingSettingsSchema.parse({
        ...{ width: 640, height: 360, fps: 10, readiness: 'signal', maxDurationMs: 8000 },
      }),
      out: path.join(folder.path, 'out'),
      config: loadConfig(),
      log: createLog('test', 'silent'),
      stopSignal: new AbortController().signal,
    });
    expect(end).toEqual({ reason: 'max-duration' });
    const [good, ...rest] = progress.sources;
    // on a busy machine it may have taken a second try
    expect(good).toMatchObject({ participantId: 'bo', state: 'playing' });
    expect(rest.map(({ error }, i) => [bad[i]?.what, error])).toEqual(
      bad.map(({ what, error }) => [what, error]),
    );
    for (const { detail } of rest) expect(detail).not.toBe('');
    // of the first the sound plays
    for (const { failures } of rest.slice(1)) expect(failures).toBeGreaterThan(0);
  });
});
