import { expect, test } from 'vitest';
import { buildSegment, planSegment } from './fixture-stream.ts';
import { writeSps } from './sps-writer.ts';
import { buildRecording, verifyRecording } from './fixture-recording.ts';
import { verifySegment } from '../../../src/verify/verify-segment.ts';

test('finds nothing in a conforming recording, and counts what it saw', async () => {
  const { violations, summary } = await verifyRecording(buildRecording());
  expect(violations).toEqual([]);
  expect(summary).toMatchObject({
    segments: 3, pictures: 144, audioFrames: 225, fps: 30, width: 64, height: 64,
    ptsOrigin: 900_000, decoded: false,
  }); // prettier-ignore
});

test.each([10, 15, 20, 25, 50, 60])('infers %i fps from the slots', async (fps) => {
  const slots = (fps * 8) / 5;
  const recording = buildRecording((plans) => {
    for (const plan of plans) {
      plan.fps = fps;
      plan.pictures = plan.pictures.slice(0, slots);
      spreadOver(plan.pictures, slots);
    }
  });
  const { violations, summary } = await verifyRecording(recording);
  expect(violations).toEqual([]);
  expect(summary.fps).toBe(fps);
});

/** Spreads pictures over the slots of a segment, the last two of which are to be filled. */
function spreadOver(pictures: { slot: number }[], slots: number): void {
  for (const [at, picture] of pictures.entries()) {
    const toEnd = pictures.length - at;
    picture.slot = toEnd <= 2 ? slots - toEnd : Math.floor((at * slots) / pictures.length);
  }
}

test('accepts empty slots as long as a picture comes within 200 ms', async () => {
  const recording = buildRecording((plans) => {
    for (const plan of plans) {
      plan.pictures = plan.pictures.slice(0, 10);
      for (const [at, picture] of plan.pictures.entries()) {
        picture.slot = at < 8 ? at * 6 : 38 + at;
      }
    }
  });
  expect((await verifyRecording(recording)).violations).toEqual([]);
});

test('accepts a recording of sound alone, with PCR on the sound', async () => {
  const recording = buildRecording((plans) => {
    for (const plan of plans) plan.hasVideo = false;
  });
  const { violations, summary } = await verifyRecording(recording);
  expect(violations).toEqual([]);
  expect(summary).toMatchObject({ pictures: 0, audioFrames: 225, fps: null });
});

test('accepts the wrap of PTS inside a segment', async () => {
  const ptsOrigin = 2 ** 33 - 144_000 - 70_000;
  const recording = buildRecording((plans) => {
    for (const plan of plans) plan.ptsOrigin = ptsOrigin;
  });
  expect((await verifyRecording(recording, { ptsOrigin })).violations).toEqual([]);
});

test('accepts a window that starts late, a hole, byte ranges and CRLF', async () => {
  const recording = buildRecording(undefined, 4711);
  const packed = Buffer.concat([...recording.segments.values()]);
  let offset = 0;
  let { playlist } = recording;
  for (const [uri, bytes] of recording.segments) {
    const gap = uri === 'segment-4712.ts' ? '#EXT-X-GAP\n' : '';
    const place = `${gap}#EXT-X-BYTERANGE:${bytes.length}@${offset}\npacked.bin`;
    playlist = playlist.replace(uri, place);
    offset += bytes.length;
  }
  const report = await verifyRecording({
    playlist: playlist.replaceAll('\n', '\r\n'),
    segments: new Map([['packed.bin', packed]]),
  });
  expect(report.violations).toEqual([]);
  expect(report.summary).toMatchObject({ segments: 2, gaps: 1 });
});

test('finds the number of a single segment by its first PTS', async () => {
  const bytes = buildSegment(planSegment(60_000, 1));
  const { violations, summary } = await verifySegment(bytes, { name: 'a.ts' });
  expect(violations).toEqual([]);
  expect(summary.digests).toMatchObject([{ n: 60_000 }]);
});

test('notes further IDR pictures without complaint', async () => {
  const recording = buildRecording((plans) => {
    const [plan] = plans;
    const half = plan?.pictures.slice(0, 24) ?? [];
    const twice = [...half, ...half].map((picture, slot) => ({ ...picture, slot }));
    plan?.pictures.splice(0, 48, ...twice);
  });
  const { violations, summary } = await verifyRecording(recording);
  expect(violations).toEqual([]);
  expect(summary.notes).toEqual(['segment-0.ts: 1 more IDR pictures than the first']);
});

test('accepts other parameter sets at EXT-X-DISCONTINUITY', async () => {
  const recording = buildRecording(([, plan]) => {
    plan?.pictures[0]?.nals.splice(1, 1, writeSps({ level: 11 }));
  });
  const playlist = recording.playlist.replace(
    /(#EXT-X-PROGRAM.*\n#EXTINF.*\nsegment-[12])/g,
    '#EXT-X-DISCONTINUITY\n$1',
  );
  expect((await verifyRecording({ ...recording, playlist })).violations).toEqual([]);
});
