import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from 'mediabunny';
import { findLengthPrefixed, nalType, splitAnnexB } from '../../../src/media/h264.ts';
import {
  SAMPLES_PER_MS,
  SAMPLES_PER_SEGMENT,
  SEGMENT_MS,
  SEGMENT_TICKS,
} from '../../../src/model/grid.ts';
import { readPlace } from '../../../src/storage/objects/read-place.ts';
import { readBarcodes } from '../../support/barcode-reader.ts';
import { cutClip } from '../../support/cut-clip.ts';
import { decodePcm, type Pcm } from '../../support/pcm.ts';
import type { TestServices } from '../../support/test-services.ts';
import type { Measurement } from '../measure.ts';
import type { Lesson } from './lesson.ts';
import { picturesOf, restamp, type Captured } from './material.ts';

const MIN_MS = 1000;
const MAX_MS = 6000;
/** Shifts looked for either way: half the tone's period. */
const MAX_SHIFT = 48;
/** Samples compared, from the start on but for the first AAC frames. */
const COMPARED = 9600;
const SKIPPED = 2048;

/** What the captured segments decode to. */
type Truth = {
  /** Of each captured segment: its pictures' barcodes, places and slice digests. */
  readonly pictures: readonly (readonly TruePicture[])[];
  readonly sound: Float32Array;
};
type TruePicture = {
  readonly frameNumber: number;
  readonly ticks: number;
  readonly slices: string;
};

/** Cuts random windows, reads every picture's barcode back and compares sound and slices with the recording's. */
export async function measureExactness(
  services: TestServices,
  { captured, lesson, windows }: { captured: Captured; lesson: Lesson; windows: number },
): Promise<Measurement[]> {
  const folder = path.join(services.dataDir, 'exactness');
  const truth = await readTruth(captured, services.dataDir);
  const random = randomNumbers();
  const results: Compared[] = [];
  for (let i = 0; i < windows; i++) {
    const window = chooseWindow(random, captured.segments.length, lesson);
    results.push(await compare(window, { services, lesson, truth, folder }));
  }
  const worst = (pick: (result: Compared) => number): number[] => [Math.max(...results.map(pick))];
  const copied = results.reduce((sum, { slices }) => sum + slices.copied, 0);
  const same = results.reduce((sum, { slices }) => sum + slices.same, 0);
  const zero = { is: '==', value: 0 } as const;
  return [
    {
      name: 'start-error',
      unit: 'frames',
      samples: worst(({ startError }) => startError),
      bound: zero,
    },
    {
      name: 'count-error',
      unit: 'frames',
      samples: worst(({ countError }) => countError),
      bound: zero,
    },
    { name: 'wrong-pictures', unit: 'frames', samples: worst(({ wrong }) => wrong), bound: zero },
    {
      name: 'time-error',
      unit: 'ticks',
      samples: worst(({ timeError }) => timeError),
      bound: zero,
    },
    {
      name: 'slices-identical',
      unit: '%',
      samples: [(100 * same) / copied],
      bound: { is: '==', value: 100 },
    },
    {
      name: 'av-shift',
      unit: 'samples',
      samples: worst(({ shift }) => shift),
      bound: { is: '<=', value: 1 },
    },
  ];
}

type Window = { readonly startMs: number; readonly endMs: number };

/** A window anywhere in the lesson, from the lesson's start; within one repetition, whose sound is continuous. */
function chooseWindow(random: () => number, repeat: number, { entries }: Lesson): Window {
  const repeatMs = repeat * SEGMENT_MS;
  const repetition = Math.floor(random() * Math.floor(entries.length / repeat));
  const lengthMs = MIN_MS + Math.floor(random() * (MAX_MS - MIN_MS));
  const startMs = repetition * repeatMs + Math.floor(random() * (repeatMs - lengthMs));
  return { startMs, endMs: startMs + lengthMs };
}

type Compared = {
  readonly startError: number;
  readonly countError: number;
  readonly wrong: number;
  readonly timeError: number;
  readonly shift: number;
  readonly slices: { readonly copied: number; readonly same: number };
};

async function compare(
  window: Window,
  context: { services: TestServices; lesson: Lesson; truth: Truth; folder: string },
): Promise<Compared> {
  const { services, lesson, truth, folder } = context;
  const { originMs } = lesson;
  const first = Math.floor(window.startMs / SEGMENT_MS);
  const last = Math.floor((window.endMs - 1) / SEGMENT_MS);
  const clip = await cutClip({
    folder,
    originMs,
    window: { startMs: originMs + window.startMs, endMs: originMs + window.endMs },
    segments: lesson.entries
      .filter(({ n }) => n >= first - 1 && n <= last)
      .map(({ n, place }) => ({
        n,
        bytes: {
          length: place.length,
          read: (start, end) => readPlace(services.store, place, { start, end }),
        },
      })),
  });
  const expected = picturesIn(window, truth);
  const [codes, samples, sound] = await Promise.all([
    readBarcodes(clip.file),
    readSamples(clip.file),
    decodePcm(clip.file),
  ]);
  await rm(clip.file);
  const numbers = codes.map((code) => (code.valid ? code.frameNumber : -1));
  const [shown, wanted] = [numbers[0] ?? NaN, expected[0]?.frameNumber ?? NaN];
  const head = clip.pictures.reencoded;
  return {
    startError: Math.abs(shown - wanted),
    countError: Math.abs(numbers.length - expected.length),
    wrong: expected.filter(({ frameNumber }, i) => frameNumber !== numbers[i]).length,
    timeError: Math.max(
      ...samples.map(({ ticks }, i) => Math.abs(ticks - (expected[i]?.ticks ?? NaN))),
    ),
    shift: shiftOf(sound, truth, window),
    slices: {
      copied: samples.length - head,
      same: samples.slice(head).filter(({ slices }, i) => slices === expected[head + i]?.slices)
        .length,
    },
  };
}

/** The pictures a clip must show, with their times from its start. */
function picturesIn({ startMs, endMs }: Window, { pictures }: Truth): TruePicture[] {
  const [start, end] = [startMs * 90, endMs * 90];
  const all: TruePicture[] = [];
  const first = Math.floor(startMs / SEGMENT_MS);
  for (let n = first; n * SEGMENT_TICKS < end; n++) {
    for (const picture of pictures[n % pictures.length] ?? []) {
      all.push({ ...picture, ticks: n * SEGMENT_TICKS + picture.ticks - start });
    }
  }
  const held = all.findLastIndex(({ ticks }) => ticks <= 0);
  const shown = all.slice(held).filter(({ ticks }) => ticks < end - start);
  return shown.map((picture) => ({ ...picture, ticks: Math.max(0, picture.ticks) }));
}

async function readTruth(captured: Captured, folder: string): Promise<Truth> {
  const file = path.join(folder, 'truth.ts');
  await writeFile(file, Buffer.concat(captured.segments.map((_, n) => restamp(captured, n))));
  const [codes, sound] = await Promise.all([readBarcodes(file), decodePcm(file)]);
  await rm(file);
  let next = 0;
  const pictures = captured.segments.map((media) =>
    picturesOf(media).map(({ offset90k, data }) => {
      const code = codes[next++];
      if (code?.valid !== true) throw new Error(`picture ${next} of the capture has no barcode`);
      return { frameNumber: code.frameNumber, ticks: offset90k, slices: digest(splitAnnexB(data)) };
    }),
  );
  return { pictures, sound: sound.samples };
}

async function readSamples(file: string): Promise<{ ticks: number; slices: string }[]> {
  const input = new Input({ source: new FilePathSource(file), formats: ALL_FORMATS });
  try {
    const track = await input.getPrimaryVideoTrack();
    if (track === null) throw new Error(`${file} has no picture`);
    const samples: { ticks: number; slices: string }[] = [];
    for await (const packet of new EncodedPacketSink(track).packets()) {
      const ticks = Math.round(packet.timestamp * 90_000);
      samples.push({ ticks, slices: digest(findLengthPrefixed(packet.data) ?? []) });
    }
    return samples;
  } finally {
    input.dispose();
  }
}

/** Of the slice NAL units alone: types 1 and 5. */
function digest(nals: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const nal of nals) if ([1, 5].includes(nalType(nal))) hash.update(nal);
  return hash.digest('hex');
}

/** By how many samples the clip's sound fits best: 0 when it starts exactly where the window does. */
function shiftOf(clip: Pcm, { sound, pictures }: Truth, { startMs }: Window): number {
  const start = (startMs * SAMPLES_PER_MS) % (pictures.length * SAMPLES_PER_SEGMENT);
  const zero = Math.round(-clip.startS * clip.sampleRate);
  let best = { shift: Infinity, error: Infinity };
  for (let shift = -MAX_SHIFT; shift <= MAX_SHIFT; shift++) {
    let error = 0;
    for (let i = SKIPPED; i < SKIPPED + COMPARED; i++) {
      error += Math.abs((clip.samples[zero + i] ?? 0) - (sound[start + i + shift] ?? 0));
    }
    if (error < best.error) best = { shift, error };
  }
  return Math.abs(best.shift);
}

/** The same numbers in every run (mulberry32). */
function randomNumbers(): () => number {
  let state = 20_261_121;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
