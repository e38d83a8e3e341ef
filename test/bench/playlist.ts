import { request } from 'node:http';
import { boundaryAtOrBefore, SEGMENT_MS } from '../../src/model/grid.ts';
import { redisKeys } from '../../src/storage/redis-keys.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import { openApiServer, TEST_API_KEY, type ApiServer } from '../support/api-server.ts';
import { sampleEntry, sampleRecording } from '../support/sample-records.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

/** Segments of 24 h. */
const DAY = 54_000;
const RELOADS = 200;
const WHOLE_RELOADS = 20;
/** Appends on their way at once. */
const BATCH = 1000;
const MIB = 1024 * 1024;
const ID = '01KAXAMP1E0000000000000000';

/** What the playlist of a class of 24 h costs: bytes, time to answer, memory of Redis. */
export const playlistBench: Scenario = {
  about: 'bytes and milliseconds of a 24 h event playlist, and Redis memory of its index',
  run: async () => {
    const api = await openApiServer();
    try {
      await addDay(api);
      return [...(await measureAnswers(api)), ...(await measureMemory(api))];
    } finally {
      await api.close();
    }
  },
};

async function addDay({ services }: ApiServer): Promise<void> {
  const originMs = boundaryAtOrBefore(Date.now()) - DAY * SEGMENT_MS;
  const recording = { id: ID, state: 'recording', originMs } as const;
  await services.recordings.create(sampleRecording(recording));
  for (let first = 0; first < DAY; first += BATCH) {
    await Promise.all(Array.from({ length: BATCH }, (_, i) => addSegment(services, first + i)));
  }
}

function addSegment({ segments }: ApiServer['services'], n: number): Promise<unknown> {
  const object = objectKeys.segment(ID, { n, lane: 0, epoch: 1 });
  const place = { object, offset: 0, length: 620_000 + (n % 999) };
  return segments.append(ID, sampleEntry(n, { place, codecHash: 'b5bb9d8014a0f9b1' }));
}

async function measureAnswers(api: ApiServer): Promise<Measurement[]> {
  const whole = `/v1/recordings/${ID}/index.m3u8`;
  const delta = `${whole}?_HLS_skip=YES`;
  const window = `/v1/recordings/${ID}/live.m3u8`;
  const first = await get(api, whole, 'gzip');
  const reload = async (path: string, encoding: string, times: number): Promise<Answer[]> => {
    const answers: Answer[] = [];
    for (let i = 0; i < times; i++) {
      await addSegment(api.services, next++);
      answers.push(await get(api, path, encoding));
    }
    return answers;
  };
  let next = DAY;
  const deltas = await reload(delta, 'identity', RELOADS);
  const windows = await reload(window, 'identity', RELOADS);
  const zipped = await reload(whole, 'gzip', WHOLE_RELOADS);
  const plain = await reload(whole, 'identity', WHOLE_RELOADS);
  const bytes = (name: string, answers: readonly Answer[]): Measurement => ({
    name,
    unit: 'bytes',
    samples: answers.map((answer) => answer.bytes),
  });
  const ms = (name: string, answers: readonly Answer[]): Measurement => ({
    name,
    unit: 'ms',
    samples: answers.map((answer) => answer.ms),
  });
  return [
    bytes('whole-plain', plain),
    bytes('whole-gzip', zipped),
    bytes('delta', deltas),
    bytes('window', windows),
    ms('first-answer-cold', [first]),
    ms('reload-whole-plain', plain),
    ms('reload-whole-gzip', zipped),
    ms('reload-delta', deltas),
    ms('reload-window', windows),
  ];
}

type Answer = { readonly bytes: number; readonly ms: number };

/** Asks, and takes the bytes as they come over the wire. */
async function get(api: ApiServer, path: string, encoding: string): Promise<Answer> {
  const startedAtMs = performance.now();
  const body = await new Promise<Buffer>((resolve, reject) => {
    const headers = { 'Accept-Encoding': encoding, Authorization: `Bearer ${TEST_API_KEY}` };
    const asked = request(new URL(path, api.url), { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks));
        else reject(new Error(`${path} answers ${response.statusCode}`));
      });
    });
    asked.on('error', reject).end();
  });
  return { bytes: body.length, ms: performance.now() - startedAtMs };
}

async function measureMemory({ services }: ApiServer): Promise<Measurement[]> {
  const keys = [redisKeys.segments(ID), redisKeys.segmentsHead(ID)];
  const used = await Promise.all(
    keys.map((key) => services.redis.client.memory('USAGE', key, 'SAMPLES', 0)),
  );
  const mib = used.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0) / MIB;
  return [{ name: 'index-in-redis', unit: 'MiB', samples: [mib] }];
}
