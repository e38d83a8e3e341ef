import { BufferSource, EncodedPacketSink, Input, MP4 } from 'mediabunny';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Mp4Movie } from '../../../src/media/mp4/movie.ts';
import { layOutMp4, writeMp4 } from '../../../src/media/mp4/writer.ts';

/** Baseline, 64×64, ids 0 and 1: parameter sets that x264 wrote. */
const SPS_0 = Uint8Array.from(
  Buffer.from('6742c00ad90479a100000300010000030032 0f1226 48'.replace(/ /g, ''), 'hex'),
);
const PPS_0 = Uint8Array.from(Buffer.from('68cb8cb2', 'hex'));
const SPS_1 = Uint8Array.from(Buffer.from('6742c00a4b', 'hex'));
const PPS_1 = Uint8Array.from(Buffer.from('68532c', 'hex'));

type Loaded = { size: number; duration: number; data: Uint8Array };

function sample(seed: number, size: number, duration: number): Loaded {
  return { size, duration, data: new Uint8Array(size).fill(seed & 0xff) };
}

function movie(durations: readonly number[], skipSamples = 1500) {
  const durationTicks = durations.reduce((sum, ticks) => sum + ticks, 0);
  const frames = Math.ceil(((durationTicks / 90_000) * 48_000 + skipSamples) / 1024);
  return {
    durationTicks,
    createdAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    video: {
      width: 64,
      height: 64,
      sps: [SPS_0, SPS_1],
      pps: [PPS_0, PPS_1],
      samples: durations.map((duration, i) => ({
        ...sample(i, 10 + (i % 7), duration),
        isKey: i % 48 === 0,
      })),
    },
    audio: {
      audioSpecificConfig: Uint8Array.of(0x11, 0x90),
      channels: 2,
      skipSamples,
      samples: Array.from({ length: frames }, (_, i) => sample(200 + i, 5 + (i % 3), 1024)),
    },
  } satisfies Mp4Movie;
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

describe('writeMp4', () => {
  const thirty = Array.from({ length: 90 }, () => 3000);

  it('puts the movie box before the media, and names every byte of the file', () => {
    const file = Buffer.concat(writeMp4(movie(thirty)));
    const types: string[] = [];
    let at = 0;
    while (at < file.length) {
      types.push(file.toString('latin1', at + 4, at + 8));
      at += file.readUInt32BE(at);
    }
    expect(types).toEqual(['ftyp', 'moov', 'mdat']);
    expect(at).toBe(file.length);
    expect(layOutMp4(movie(thirty)).length).toBe(file.length);
  });

  it('lists every parameter set in avcC', () => {
    const file = Buffer.concat(writeMp4(movie(thirty)));
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
    const edits = content(Buffer.concat(writeMp4(movie(thirty, 1999))), 'moov/trak/edts/elst');
    const read = edits.map((elst) => [4, 8, 12].map((at) => elst.readUInt32BE(at)));
    expect(read).toEqual([
      [1, 270_000, 0],
      [1, 270_000, 1999],
    ]);
  });

  it('needs neither composition offsets nor 64-bit chunk offsets in a clip', () => {
    const header = layOutMp4(movie(thirty)).header.toString('latin1');
    expect(header).not.toContain('ctts');
    expect(header).not.toContain('co64');
    expect(header).toContain('colrnclx');
    expect(header).toContain('pasp');
  });

  it('uses 64-bit chunk offsets and a large media box beyond 4 GiB', () => {
    const huge = movie(thirty);
    const samples = huge.video.samples.map((s) => ({ ...s, size: 100_000_000 }));
    const layout = layOutMp4({ ...huge, video: { ...huge.video, samples } });
    const header = layout.header;
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
        const file = Buffer.concat(writeMp4(written));
        const input = new Input({ source: new BufferSource(file), formats: [MP4] });
        const [video, audio] = [
          await input.getPrimaryVideoTrack(),
          await input.getPrimaryAudioTrack(),
        ];
        await expectSamples(video!, written.video.samples, { timescale: 90_000, start: 0 });
        await expectSamples(audio!, written.audio.samples, { timescale: 48_000, start: 0 - skip });
        const end = await video!.computeDuration();
        expect(Math.round(end * 90_000)).toBe(written.durationTicks);
      }),
      { numRuns: 25 },
    );
  });
});

type Track = ConstructorParameters<typeof EncodedPacketSink>[0];

async function expectSamples(
  track: Track,
  samples: readonly (Loaded & { isKey?: boolean })[],
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
