import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBarcodes } from '../../support/barcode-reader.ts';
import { readBeeps, readFlashes } from '../../support/flash-beep-reader.ts';
import { probeMedia, probePackets } from '../../support/probe.ts';
import { makeBarcodeFilm, makeFlashAndBeepFilm, makeTones } from '../../support/synthetic.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { readTones } from '../../support/tone-reader.ts';

/** One tick of 90 kHz, s: what a PTS can be off by rounding. */
const TICK_S = 1 / 90_000;
/** AAC smears an onset over a part of its frame of 1024 samples (21 ms); seen: under 3 ms. */
const AAC_ONSET_S = 0.005;

let folder: Awaited<ReturnType<typeof makeTempFolder>>;
const file = (name: string): string => path.join(folder.path, name);

beforeAll(async () => {
  folder = await makeTempFolder('readers');
});
afterAll(() => folder.close());

describe('barcode reader', () => {
  const contents = Array.from({ length: 60 }, (_, i) => ({
    frameNumber: 1000 + i,
    clockMs: 1_763_000_000_000 + Math.round((i * 1000) / 30),
  }));

  it('reads every frame of an H.264 film at 500 kb/s, with its PTS to the tick', async () => {
    await makeBarcodeFilm(file('film.ts'), contents, { fps: 30, bitrate: '500k' });
    const read = await readBarcodes(file('film.ts'));
    expect(read.map((r) => (r.valid ? r.frameNumber : -1))).toEqual(
      contents.map((c) => c.frameNumber),
    );
    expect(read.map((r) => (r.valid ? r.clockMs : -1))).toEqual(contents.map((c) => c.clockMs));
    const packets = await probePackets(file('film.ts'));
    read.forEach((r, i) =>
      expect(Math.abs(r.ptsS - packets[i]!.pts / 90_000)).toBeLessThan(TICK_S / 2),
    );
  });

  it('reads a playlist, one frame of it missing where a frame is missing', async () => {
    const kept = contents.filter((_, i) => i !== 20);
    await makeBarcodeFilm(file('segment.ts'), kept, { fps: 30, bitrate: '3M' });
    await writeFile(
      file('list.m3u8'),
      '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsegment.ts\n#EXT-X-ENDLIST\n',
    );
    const read = await readBarcodes(file('list.m3u8'));
    expect(read.map((r) => (r.valid ? r.frameNumber : -1))).toEqual(kept.map((c) => c.frameNumber));
  });

  it('says that a film without barcodes has none', async () => {
    await makeFlashAndBeepFilm(file('no-barcode.ts'), { durationS: 1 });
    const read = await readBarcodes(file('no-barcode.ts'));
    expect(read).toHaveLength(30);
    expect(read.some((r) => r.valid)).toBe(false);
  });
});

describe('flash and beep readers', () => {
  it.each(['film.mp4', 'film.ts'])(
    'find picture and sound of %s together at each second',
    async (name) => {
      await makeFlashAndBeepFilm(file(name), { durationS: 3.5 });
      const flashes = await readFlashes(file(name));
      const beeps = await readBeeps(file(name));
      expect(flashes).toHaveLength(3);
      expect(beeps).toHaveLength(3);
      flashes.forEach((flash, i) => {
        expect(flash - flashes[0]!).toBeCloseTo(i, 3);
        expect(Math.abs(beeps[i]! - flash)).toBeLessThan(AAC_ONSET_S);
      });
    },
  );

  it('measure sound that is 100 ms late as 100 ms late', async () => {
    await makeFlashAndBeepFilm(file('late.ts'), { durationS: 2.5, soundLateMs: 100 });
    const flashes = await readFlashes(file('late.ts'));
    const beeps = await readBeeps(file('late.ts'));
    expect(flashes).toHaveLength(2);
    flashes.forEach((flash, i) =>
      expect(Math.abs(beeps[i]! - flash - 0.1)).toBeLessThan(AAC_ONSET_S),
    );
  });
});

describe('tone reader', () => {
  it('finds which tone sounds when, through AAC', async () => {
    const tones = [
      { hz: 440, fromS: 0, toS: 1 },
      { hz: 660, fromS: 0.5, toS: 2 },
    ];
    await makeTones(file('tones.ts'), tones, 2);
    const heard = await readTones(file('tones.ts'), [330, 440, 660, 880]);
    const startS = heard[0]!.startS;
    const at = (s: number): readonly number[] =>
      heard.find((h) => h.startS - startS <= s && s < h.startS - startS + 0.1)!.present;
    expect(at(0.25)).toEqual([440]);
    expect(at(0.75)).toEqual([440, 660]);
    expect(at(1.5)).toEqual([660]);
  });

  it('fails with a clear message where there is no sound', async () => {
    await makeBarcodeFilm(file('mute.ts'), [{ frameNumber: 1, clockMs: 1 }], {
      fps: 30,
      bitrate: '1M',
    });
    await expect(readTones(file('mute.ts'), [440])).rejects.toThrow(/mute\.ts/);
  });
});

describe('probe', () => {
  it('gives streams under the names of ffprobe', async () => {
    await makeFlashAndBeepFilm(file('probe.mp4'), { durationS: 1 });
    const { streams } = await probeMedia(file('probe.mp4'));
    expect(streams.map((s) => s.codec_name)).toEqual(['h264', 'aac']);
    expect(streams[0]).toMatchObject({ width: 640, height: 360 });
  });
});
