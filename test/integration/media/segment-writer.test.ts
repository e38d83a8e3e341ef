import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { findAdtsHeader } from '../../../src/media/aac.ts';
import { joinAnnexB, NAL_TYPE, nalType, splitAnnexB } from '../../../src/media/h264.ts';
import { readSegment } from '../../../src/media/mpegts/segment-reader.ts';
import { createSegmentWriter } from '../../../src/media/mpegts/segment-writer.ts';
import { verifySegment } from '../../../src/verify/verify-segment.ts';
import { probePackets } from '../../support/probe.ts';
import { runProgram } from '../../support/programs.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

const SEGMENTS = 2;
const SLOTS = 48;
const SLOT_TICKS = 3000;
const SEGMENT_TICKS = 144_000;
const FRAMES = 75;
const PTS = 900_000;
const EVERY_SLOT = Array.from({ length: SLOTS }, (_, slot) => slot);

const resources = new Resources();
let folder: string;
let sound: Uint8Array[];

beforeAll(async () => {
  folder = resources.use(await makeTempFolder('segment-writer')).path;
  sound = await encodeTone(path.join(folder, 'tone.aac'));
});
afterAll(() => resources.close());

describe('two segments laid end to end', () => {
  it.each([
    { name: 'every slot filled', slots: EVERY_SLOT, hasDelimiters: true },
    { name: 'every slot filled, no delimiters given', slots: EVERY_SLOT, hasDelimiters: false },
    {
      name: 'a picture each 200 ms',
      slots: EVERY_SLOT.filter((slot) => slot % 6 === 0 || slot >= SLOTS - 2),
      hasDelimiters: false,
    },
    {
      name: 'uneven gaps',
      slots: EVERY_SLOT.filter((slot) => [0, 1, 2].includes(slot % 5) || slot >= SLOTS - 2),
      hasDelimiters: true,
    },
  ])('are one stream to ffmpeg, exact to the tick: $name', async ({ slots, hasDelimiters }) => {
    const source = path.join(folder, 'pictures.h264');
    const pictures = await encodePictures(source, slots, hasDelimiters);
    const segments = Array.from({ length: SEGMENTS }, (_, n) =>
      laySegment(n, slots, pictures.slice(n * slots.length)),
    );
    const file = path.join(folder, 'both.ts');
    await writeFile(file, Buffer.concat(segments));

    // Decoded without a word, to the very pictures that were encoded.
    expect(await pictureHashes(file)).toEqual(await pictureHashes(source));
    const packets = await probePackets(file);
    const times = (kind: 'video' | 'audio'): [number, number][] =>
      packets.filter((packet) => packet.codec_type === kind).map(({ pts, dts }) => [pts, dts]);
    expect(times('video')).toEqual(
      [0, 1].flatMap((n) => slots.map((slot) => both(PTS + n * SEGMENT_TICKS + slot * SLOT_TICKS))),
    );
    expect(times('audio')).toEqual(
      Array.from({ length: SEGMENTS * FRAMES }, (_, index) => both(PTS + index * 1920)),
    );
    for (const [n, bytes] of segments.entries()) {
      const { violations } = await verifySegment(bytes, { name: `${n}.ts`, fps: 30 });
      expect(violations).toEqual([]);
    }
  });

  it('can be played each alone, the second with the time it has', async () => {
    const pictures = await encodePictures(path.join(folder, 'alone.h264'), EVERY_SLOT, false);
    const file = path.join(folder, 'second.ts');
    await writeFile(file, laySegment(1, EVERY_SLOT, pictures.slice(SLOTS)));

    expect(await pictureHashes(file)).toHaveLength(SLOTS);
    expect((await probePackets(file))[0]?.pts).toBe(PTS + SEGMENT_TICKS);
  });
});

describe('readSegment', () => {
  it('reads what ffmpeg muxes as it reads our own', async () => {
    const source = path.join(folder, 'foreign.h264');
    const pictures = await encodePictures(source, EVERY_SLOT, true);
    const file = path.join(folder, 'foreign.ts');
    const tone = path.join(folder, 'tone.aac');
    const oneFrameEach = ['-f', 'mpegts', '-pes_payload_size', '0'];
    const inputs = ['-r', '30', '-i', source, '-i', tone];
    await runProgram('ffmpeg', ['-v', 'error', ...inputs, '-c', 'copy', ...oneFrameEach, file]);
    // PID 17 (SDT) is not of our streams: dropped here as a remultiplexer would.
    const { pictures: read, audioFrames } = readSegment(withoutPid(await readFile(file), 17));

    expect(read.map(({ isKey }) => isKey)).toEqual(pictures.map(({ isKey }) => isKey));
    expect(read.map(({ data }) => nalBytes(data))).toEqual(
      pictures.map(({ data }) => nalBytes(data)),
    );
    expect(audioFrames.slice(1, sound.length + 1).map(({ data }) => data.length)).toEqual(
      sound.map(({ length }) => length),
    );
  });
});

type Encoded = { readonly isKey: boolean; readonly data: Uint8Array };

/** Lays a segment; pictures first, then sound, as a writer may meet them. */
function laySegment(n: number, slots: readonly number[], pictures: readonly Encoded[]): Buffer {
  const chunks: Uint8Array[] = [];
  const pts90k = PTS + n * SEGMENT_TICKS;
  const write = (packets: Uint8Array): number => chunks.push(packets);
  const writer = createSegmentWriter({ pts90k, slotTicks: SLOT_TICKS, write });
  for (const [index, slot] of slots.entries()) {
    const picture = pictures[index] ?? { isKey: false, data: Uint8Array.of() };
    writer.writeVideo({ ...picture, offset90k: slot * SLOT_TICKS });
  }
  for (const frame of sound.slice(n * FRAMES, (n + 1) * FRAMES)) writer.writeAudio(frame);
  writer.finish();
  return Buffer.concat(chunks);
}

/** A moving test pattern of the given slots in each segment, one access unit a picture. */
async function encodePictures(
  file: string,
  slots: readonly number[],
  hasDelimiters: boolean,
): Promise<Encoded[]> {
  const wanted = slots.map((slot) => `eq(mod(n,${SLOTS}),${slot})`).join('+');
  await runProgram('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=30:d=3.2'],
    ...['-vf', `select='${wanted}'`, '-fps_mode', 'vfr', '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'baseline', '-threads', '1'],
    ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
    ...['-color_range', 'tv', '-sc_threshold', '0', '-g', '999'],
    ...['-force_key_frames', '0,1.6', '-x264-params', 'aud=1', '-f', 'h264', file],
  ]);
  const nals = splitAnnexB(await readFile(file));
  const starts = nals.flatMap((nal, index) => (nalType(nal) === NAL_TYPE.aud ? [index] : []));
  return starts.map((start, index) => {
    const unit = nals.slice(hasDelimiters ? start : start + 1, starts[index + 1]);
    const isKey = unit.some((nal) => nalType(nal) === NAL_TYPE.idrSlice);
    return { isKey, data: joinAnnexB(unit) };
  });
}

/** Raw AAC frames of a tone, priming left out. */
async function encodeTone(file: string): Promise<Uint8Array[]> {
  await runProgram('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'sine=f=440:r=48000:d=3.4'],
    ...['-ac', '2', '-c:a', 'aac', '-b:a', '128k', '-f', 'adts', file],
  ]);
  const bytes = await readFile(file);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const header = findAdtsHeader(bytes, at);
    if (header === undefined) throw new Error(`no ADTS header at ${at}`);
    frames.push(bytes.subarray(at + header.headerBytes, at + header.frameBytes));
    at += header.frameBytes;
  }
  return frames.slice(1, 1 + SEGMENTS * FRAMES);
}

/** A hash of each decoded picture; fails when ffmpeg has anything to say about picture or sound. */
async function pictureHashes(file: string): Promise<string[]> {
  const decoded = await runProgram('ffmpeg', [
    ...['-v', 'warning', '-xerror', '-err_detect', 'explode', '-i', file],
    ...['-map', '0:v', '-fps_mode', 'passthrough', '-f', 'framehash', '-hash', 'md5', '-'],
    ...(file.endsWith('.ts') ? ['-map', '0:a', '-f', 'null', '-'] : []),
  ]);
  expect(decoded.stderr).toBe('');
  const lines = decoded.stdout.toString('utf8').split('\n');
  return lines.filter((line) => /^\d/.test(line)).map((line) => line.split(',').at(-1) ?? '');
}

function both(pts: number): [number, number] {
  return [pts, pts];
}

function nalBytes(annexB: Uint8Array): number[] {
  return splitAnnexB(annexB).map((nal) => nal.length);
}

function withoutPid(stream: Buffer, pid: number): Buffer {
  const packets: Buffer[] = [];
  for (let at = 0; at < stream.length; at += 188) {
    if ((stream.readUInt16BE(at + 1) & 0x1fff) !== pid) packets.push(stream.subarray(at, at + 188));
  }
  return Buffer.concat(packets);
}
