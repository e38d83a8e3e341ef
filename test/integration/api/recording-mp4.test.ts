import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signLink, type LinkRight } from '../../../src/access/links.ts';
import type { Recording } from '../../../src/model/recording.ts';
import { verifyTarget } from '../../../src/verify/verify.ts';
import {
  openApiServer,
  TEST_API_KEY,
  TEST_LINK_SECRET,
  type ApiServer,
} from '../../support/api-server.ts';
import { sampleRecording } from '../../support/sample-records.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { readClip } from '../highlight/clip-reader.ts';
import { makeCounterSource, type CounterSource } from '../highlight/counter-source.ts';
import { publish } from '../highlight/role-fixture.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const SEGMENTS = 5;
const SLOTS = 48;
/** The grid's uneven gaps: the last two slots and the first are always filled. */
const slotsOf = (n: number): number[] =>
  Array.from({ length: SLOTS }, (_, slot) => slot).filter(
    (slot) => slot === 0 || slot > 45 || (slot * 7 + n * 5) % 4 < 2,
  );
/** Two decoders of one stream in one program give the same floats; the rest is room for its vector code. */
const PCM_TOLERANCE = 1e-5;

let api: ApiServer;
let folder: Awaited<ReturnType<typeof makeTempFolder>>;
let source: CounterSource;
let other: CounterSource;

beforeAll(async () => {
  [api, folder, source, other] = await Promise.all([
    openApiServer(),
    makeTempFolder('recording-mp4'),
    makeCounterSource({ segments: SEGMENTS, slotsOf, profile: 'baseline' }),
    makeCounterSource({
      segments: SEGMENTS,
      slotsOf,
      profile: 'main',
      x264: ':deblock=1,1:cabac=0:qpmin=10',
    }),
  ]);
});
afterAll(async () => {
  await api.close();
  await folder.close();
});

let count = 0;

/** A recording with the source's segments, but for those left out; another encoder makes some. */
async function record(
  options: {
    change?: Partial<Recording>;
    without?: readonly number[];
    takenOverFrom?: number;
  } = {},
): Promise<string> {
  const id = `whole-${count++}`;
  const { change = {}, without = [], takenOverFrom = SEGMENTS } = options;
  const { originMs } = source;
  const metadata = { title: 'Math 8b: ¾ + ¼' };
  const recording = { id, originMs, metadata, state: 'completed', ...change } as const;
  await api.services.recordings.create(sampleRecording(recording));
  const segments = source.segments
    .map((segment) => (segment.n < takenOverFrom ? segment : other.segments[segment.n]!))
    .filter(({ n }) => !without.includes(n));
  await publish(api.services, id, {
    segments,
    codecHashOf: (n) => (n < takenOverFrom ? 'one' : 'two'),
  });
  await api.services.segments.settle(id, { originMs, isOver: true });
  return id;
}

const urlOf = (id: string): string => `/v1/recordings/${id}/recording.mp4`;

async function fetchWhole(
  id: string,
): Promise<{ response: Response; bytes: Buffer; file: string }> {
  const response = await api.request(urlOf(id));
  expect(response.status).toBe(200);
  const bytes = Buffer.from(await response.arrayBuffer());
  const file = path.join(folder.path, `${id}.mp4`);
  await writeFile(file, bytes);
  return { response, bytes, file };
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Every picture in its slot, held over holes; slice NAL units as they were recorded; sound to the sample. */
async function expectWhole(
  file: string,
  {
    without = [],
    slices = source.slices,
  }: { without?: number[]; slices?: CounterSource['slices'] } = {},
): Promise<void> {
  const read = await readClip(file);
  const slots = source.slots.filter((slot) => !without.includes(Math.floor(slot / SLOTS)));
  const ends = [...slots.slice(1), SEGMENTS * SLOTS];
  expect(read.counters).toEqual(slots);
  expect(read.times).toEqual(slots.map((slot) => slot * 3000));
  expect(read.durations).toEqual(slots.map((slot, i) => (ends[i]! - slot) * 3000));
  read.slices.forEach((units, i) => {
    expect(units.map(digest)).toEqual(slices.get(slots[i]!)!.map(digest));
  });
  expect(read.pcm.length / 2).toBe(SEGMENTS * 76_800);
  let worst = 0;
  // The recording's first frame has none before it to overlap with, nor has the one behind a hole.
  for (let i = 1024; i < SEGMENTS * 76_800; i++) {
    const n = Math.floor(i / 76_800);
    if (i % 76_800 < 1024 && (without.includes(n) || without.includes(n - 1))) continue;
    const want = without.includes(n) ? 0 : source.pcm[2 * i]!;
    worst = Math.max(worst, Math.abs(read.pcm[2 * i]! - want));
  }
  expect(worst).toBeLessThan(PCM_TOLERANCE);
  expect((await verifyTarget(file, { decode: true })).violations).toEqual([]);
}

describe('GET /v1/recordings/:id/recording.mp4', () => {
  it('sends the whole lesson as one fast-start MP4, picture by picture and sample by sample', async () => {
    const { response, bytes, file } = await fetchWhole(await record());
    expect(response.headers.get('content-type')).toBe('video/mp4');
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
    expect(response.headers.get('chalkreel-missing-ms')).toBe('0');
    await expectWhole(file);
  });

  it('keeps the last picture and silence over a hole, and says how much is missing', async () => {
    const { response, file } = await fetchWhole(await record({ without: [2, 3] }));
    expect(response.headers.get('chalkreel-missing-ms')).toBe('3200');
    await expectWhole(file, { without: [2, 3] });
  });

  it('plays on where another encoder took over, with other parameter sets under the same ids', async () => {
    const { file } = await fetchWhole(await record({ takenOverFrom: 3 }));
    const slices = new Map(
      source.slots.map((slot) => {
        const maker = slot < 3 * SLOTS ? source : other;
        return [slot, maker.slices.get(slot)!] as const;
      }),
    );
    await expectWhole(file, { slices });
  });

  it('answers any range with those bytes of the whole', async () => {
    const id = await record({ without: [1] });
    const { bytes, response: whole } = await fetchWhole(id);
    const header = bytes.indexOf('mdat', 0, 'latin1') + 4;
    const spots = [0, 1, 40, header - 1, header, header + 1, bytes.length >> 1, bytes.length - 1];
    const lengths = [1, 7, 1000, 200_000];
    for (const from of spots) {
      for (const length of lengths) {
        const to = Math.min(bytes.length, from + length);
        const part = await api.request(urlOf(id), {
          headers: { Range: `bytes=${from}-${to - 1}` },
        });
        expect(part.status).toBe(206);
        expect(part.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/${bytes.length}`);
        expect(part.headers.get('content-length')).toBe(String(to - from));
        const got = Buffer.from(await part.arrayBuffer());
        expect(got.equals(bytes.subarray(from, to))).toBe(true);
      }
    }
    const tail = await api.request(urlOf(id), { headers: { Range: 'bytes=-500' } });
    expect(Buffer.from(await tail.arrayBuffer()).equals(bytes.subarray(-500))).toBe(true);
    const beyond = await api.request(urlOf(id), { headers: { Range: `bytes=${bytes.length}-` } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([
      416,
      `bytes */${bytes.length}`,
    ]);
    const head = await api.request(urlOf(id), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
    expect(head.headers.get('etag')).toBe(whole.headers.get('etag'));
  });

  it('knows by its ETag whether the file is still the same', async () => {
    const id = await record({ without: [3] });
    const { response, bytes } = await fetchWhole(id);
    const etag = response.headers.get('etag')!;
    // Node's fetch adds `Cache-Control: no-cache`, which asks for the whole, unless told otherwise.
    const known = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' };
    const again = await api.request(urlOf(id), { headers: known });
    expect(again.status).toBe(304);
    const range = { Range: 'bytes=0-9' };
    const same = await api.request(urlOf(id), { headers: { ...range, 'If-Range': etag } });
    expect(same.status).toBe(206);
    // What came late is in it from then on.
    await publish(api.services, id, { segments: [source.segments[3]!], codecHashOf: () => 'one' });
    const later = await api.request(urlOf(id), { headers: { ...range, 'If-Range': etag } });
    expect(later.status).toBe(200);
    expect(later.headers.get('etag')).not.toBe(etag);
    expect((await later.arrayBuffer()).byteLength).toBeGreaterThan(bytes.length);
    await expectWhole((await fetchWhole(id)).file);
  });

  it('says what is wrong: still running, nothing recorded, unknown', async () => {
    const answer = async (id: string) => {
      const { status, body } = await api.json('GET', urlOf(id));
      return [status, body.code];
    };
    const running = await record({ change: { state: 'recording' } });
    expect(await answer(running)).toEqual([409, 'recording-not-final']);
    const empty = sampleRecording({ id: 'empty', state: 'failed' });
    await api.services.recordings.create(empty);
    expect(await answer('empty')).toEqual([409, 'nothing-recorded']);
    expect(await answer('nobody')).toEqual([404, 'recording-not-found']);
  });

  it('is played by a link to play, and saved under the lesson’s name by one to download', async () => {
    const id = await record();
    const get = (rights: readonly LinkRight[], query: string, of = id): Promise<Response> => {
      const expiresAtMs = Date.now() + 60_000;
      const link = { kind: 'recording', id: of, rights, viewerId: null, shareId: null, expiresAtMs } as const; // prettier-ignore
      const url = `/t/${signLink(link, [TEST_LINK_SECRET])}${urlOf(id)}${query}`;
      return api.request(url, { key: null, method: 'HEAD' });
    };
    expect((await get(['play'], '')).status).toBe(200);
    expect((await get(['play'], '?download=1')).status).toBe(403);
    expect((await get(['play'], '', 'another')).status).toBe(403);
    const saved = await get(['play', 'download'], '?download=1');
    expect(saved.status).toBe(200);
    expect(saved.headers.get('content-disposition')).toContain('attachment; filename=');
    expect(saved.headers.get('content-disposition')).toMatch(/Math 8b.*2025-10-09\.mp4/);
    expect((await api.request(urlOf(id), { key: null })).status).toBe(401);
    const { body } = await api.json('GET', `/v1/recordings/${id}`);
    const { mp4 } = body.links as { mp4: string };
    expect((await fetch(mp4, { method: 'HEAD' })).status).toBe(200);
  });

  it('stops reading when nobody takes the bytes any more', async () => {
    const id = await record();
    const reads = vi.spyOn(api.services.store, 'openStream');
    const abort = new AbortController();
    const headers = { Authorization: `Bearer ${TEST_API_KEY}` };
    const response = await fetch(new URL(urlOf(id), api.url), { headers, signal: abort.signal });
    await response.body!.getReader().read();
    abort.abort();
    reads.mockRestore();
    // The next request finds the api as it was.
    expect((await fetchWhole(id)).bytes.length).toBeGreaterThan(0);
  });
});
