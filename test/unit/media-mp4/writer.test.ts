import { BufferSource, EncodedPacketSink, Input, MP4 } from 'mediabunny';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Mp4Movie } from '../../../src/media/mp4/movie.ts';
import { toBuffer } from '../../../src/media/mp4/box.ts';
import { runsOf } from '../../../src/media/mp4/columns.ts';
import { layOutMp4, type LayOutOptions } from '../../../src/media/mp4/writer.ts';

/** Baseline, 64×64, ids 0 and 1: parameter sets that x264 wrote. */
const SPS_0 = Uint8Array.from(
  Buffer.from('6742c00ad90479a100000300010000030032 0f1226 48'.replace(/ /g, ''), 'hex'),
);
const PPS_0 = Uint8Array.from(Buffer.from('68cb8cb2', 'hex'));
const SPS_1 = Uint8Array.from(Buffer.from('6742c00a4b', 'hex'));
const PPS_1 = Uint8Array.from(Buffer.from('68532c', 'hex'));

type Sample = { readonly data: Uint8Array; readonly duration: number; readonly isKey?: boolean };

function sample(seed: number, size: number, duration: number): Sample {
  return { duration, data: new Uint8Array(size).fill(seed & 0xff) };
}

/** A movie and its samples: pictures of these durations in blocks of seven. */
function movie(durations: readonly number[], skipSamples = 1500) {
  const durationTicks = durations.reduce((sum, ticks) => sum + ticks, 0);
  const frameCount = Math.ceil(((durationTicks / 90_000) * 48_000 + skipSamples) / 1024);
  const pictures = durations.map((duration, i) => ({
    ...sample(i, 10 + (i % 7), duration),
    isKey: i % 48 === 0,
  }));
  const frames = Array.from({ length: frameCount }, (_, i) => sample(200 + i, 5 + (i % 3), 1024));
  const blockCount = Math.ceil(pictures.length / 7);
  const share = (count: number, i: number): number =>
    Math.floor((count * (i + 1)) / blockCount) - Math.floor((count * i) / blockCount);
  const blocks = Array.from({ length: blockCount }, (_, i) => i);
  const written = {
    durationTicks,
    createdAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    video: {
      width: 64,
      height: 64,
      description: { sps: [SPS_0, SPS_1], pps: [PPS_0, PPS_1] },
      sizes: pictures.map(({ data }) => data.length),
      durations: runsOf(durations),
      keys: pictures.flatMap(({ isKey }, i) => (isKey ? [i] : [])),
    },
    audio: {
      audioSpecificConfig: Uint8Array.of(0x11, 0x90),
      channels: 2,
      skipSamples,
      sizes: frames.map(({ data }) => data.length),
    },
    blocks: {
      pictures: blocks.map((i) => share(pictures.length, i)),
      frames: blocks.map((i) => share(frames.length, i)),
    },
  } satisfies Mp4Movie;
  return { movie: written, pictures, frames };
}

/** More than the tables of 200 s take: 9375 frames of sound at 4 bytes, and 60 pictures. */
const HEADER_ROOM = 64_000;

type Written = ReturnType<typeof movie>;

/** The whole file: header, then block by block pictures and frames. */
function write({ movie: written, pictures, frames }: Written, options?: LayOutOptions): Buffer {
  const media: Uint8Array[] = [];
  let [picture, frame] = [0, 0];
  written.blocks.pictures.forEach((count, i) => {
    const nextFrame = frame + (written.blocks.frames[i] ?? 0);
    for (const { data } of pictures.slice(picture, picture + count)) media.push(data);
    for (const { data } of frames.slice(frame, nextFrame)) media.push(data);
    picture += count;
    frame = nextFrame;
  });
  return Buffer.concat([toBuffer(layOutMp4(written, options).header), ...media]);
}

/** Finds boxes by path, contents only: the whole of one box if the path names it. */
function content(bytes: Buffer, path: string): Buffer[] {
  const [type, ...rest] = path.split('/');
  const found: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + 8) === type) {
      const inner = bytes.subarray(at + 8, at + size);
      found.push(...(rest.length === 0 ? [inner] : content(inner, rest.join('/'))));
    }
    at += size;
  }
  return found;
}

describe('layOutMp4', () => {
  const thirty = Array.from({ length: 90 }, () => 3000);

  function typesIn(file: Buffer): string[] {
    const types: string[] = [];
    let at = 0;
    while (at < file.length) {
      types.push(file.toString('latin1', at + 4, at + 8));
      at += file.readUInt32BE(at);
    }
    expect(at).toBe(file.length);
    return types;
  }

  it('puts the movie box before the media, and names every byte of the file', () => {
    const file = write(movie(thirty));
    expect(typesIn(file)).toEqual(['ftyp', 'moov', 'mdat']);
    expect(layOutMp4(movie(thirty).movie).length).toBe(file.length);
  });

  it('fills the header up to the room it was given, and refuses too little', () => {
    const { movie: written } = movie(thirty);
    const needed = layOutMp4(written).headerBytes;
    const file = write(movie(thirty), { headerBytes: 5000 });
    expect(typesIn(file)).toEqual(['ftyp', 'moov', 'free', 'mdat']);
    expect(file.indexOf('mdat', 0, 'latin1')).toBe(4996);
    expect(layOutMp4(written, { headerBytes: 5000 }).blockOffsets[0]).toBe(5000);
    expect(layOutMp4(written, { headerBytes: needed }).headerBytes).toBe(needed);
    expect(() => layOutMp4(written, { headerBytes: needed - 1 })).toThrow(/more than it may/);
    expect(() => layOutMp4(written, { headerBytes: needed + 1 })).toThrow(/more than it may/);
  });

  it('says where each block begins', () => {
    const written = movie(thirty);
    const { blockOffsets, headerBytes, length } = layOutMp4(written.movie);
    expect(blockOffsets).toHaveLength(written.movie.blocks.frames.length + 1);
    expect([blockOffsets[0], blockOffsets.at(-1)]).toEqual([headerBytes, length]);
    const first = written.pictures.slice(0, 6).reduce((sum, { data }) => sum + data.length, 0);
    expect(blockOffsets[1]).toBeGreaterThan(headerBytes + first);
  });

  it('writes any part of its header as it writes the whole', () => {
    const { header } = layOutMp4(movie(thirty).movie);
    for (const piece of header) {
      if (piece instanceof Uint8Array || piece.length < 12) continue;
      const whole = piece.write(0, piece.length);
      for (const [from, to] of [
        [0, 1],
        [3, 9],
        [piece.length - 5, piece.length],
      ] as const) {
        expect(piece.write(from, to)).toEqual(whole.subarray(from, to));
      }
    }
  });

  it('lists every parameter set in avcC', () => {
    const file = write(movie(thirty));
    const [stsd] = content(file, 'moov/trak/mdia/minf/stbl/stsd');
    const at = stsd!.indexOf('avcC') + 4;
    const length = stsd!.readUInt32BE(at - 8) - 8;
    expect(stsd!.subarray(at, at + length)).toEqual(
      Buffer.concat([
        Buffer.from([1, 0x42, 0xc0, 0x0a, 0xff, 0xe2]),
        ...[SPS_0, SPS_1].flatMap((set) => [Buffer.from([0, set.length]), set]),
        Buffer.from([2]),
        ...[PPS_0, PPS_1].flatMap((set) => [Buffer.from([0, set.length]), set]),
      ]),
    );
  });

  it('writes one exact edit a track: the movie from media time 0, the sound from its skipped samples', () => {
    const edits = content(write(movie(thirty, 1999)), 'moov/trak/edts/elst');
    const read = edits.map((elst) => [4, 8, 12].map((at) => elst.readUInt32BE(at)));
    expect(read).toEqual([
      [1, 270_000, 0],
      [1, 270_000, 1999],
    ]);
  });

  it('needs neither composition offsets nor 64-bit chunk offsets in a clip', () => {
    const header = toBuffer(layOutMp4(movie(thirty).movie).header).toString('latin1');
    expect(header).not.toContain('ctts');
    expect(header).not.toContain('co64');
    expect(header).toContain('colrnclx');
    expect(header).toContain('pasp');
  });

  it('uses 64-bit chunk offsets and a large media box beyond 4 GiB', () => {
    const { movie: huge } = movie(thirty);
    const sizes = huge.video.sizes.map(() => 100_000_000);
    const layout = layOutMp4({ ...huge, video: { ...huge.video, sizes } });
    const header = toBuffer(layout.header);
    expect(header.includes('co64')).toBe(true);
    expect(header.includes('stco')).toBe(false);
    const mdat = header.length - 16;
    expect(header.readUInt32BE(mdat)).toBe(1);
    expect(header.readBigUInt64BE(mdat + 8)).toBe(BigInt(layout.length - mdat));
  });

  it('is read back sample for sample by an independent reader, at the exact times', async () => {
    const ticks = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(ticks, fc.integer({ min: 0, max: 2047 }), async (durations, skip) => {
        const written = movie(durations, skip);
        const file = write(written, { headerBytes: HEADER_ROOM });
        const input = new Input({ source: new BufferSource(file), formats: [MP4] });
        const [video, audio] = [
          await input.getPrimaryVideoTrack(),
          await input.getPrimaryAudioTrack(),
        ];
        await expectSamples(video!, written.pictures, { timescale: 90_000, start: 0 });
        await expectSamples(audio!, written.frames, { timescale: 48_000, start: 0 - skip });
        const end = await video!.computeDuration();
        expect(Math.round(end * 90_000)).toBe(written.movie.durationTicks);
      }),
      { numRuns: 15 },
    );
  });
});

type Track = ConstructorParameters<typeof EncodedPacketSink>[0];

async function expectSamples(
  track: Track,
  samples: readonly Sample[],
  { timescale, start }: { timescale: number; start: number },
): Promise<void> {
  const sink = new EncodedPacketSink(track);
  let at = start;
  let index = 0;
  for await (const packet of sink.packets()) {
    const expected = samples[index++]!;
    expect(Math.round(packet.timestamp * timescale)).toBe(at);
    expect(Math.round(packet.duration * timescale)).toBe(expected.duration);
    expect(Buffer.compare(packet.data, expected.data)).toBe(0);
    if (expected.isKey !== undefined) expect(packet.type).toBe(expected.isKey ? 'key' : 'delta');
    at += expected.duration;
  }
  expect(index).toBe(samples.length);
}
