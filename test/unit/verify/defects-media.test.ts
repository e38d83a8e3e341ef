import { describe } from 'vitest';
import { AUD, type SegmentPlan } from './fixture-stream.ts';
import { planned, plannedAll, testDefects, type Defect } from './defects.ts';
import { buildRecording, type Recording } from './fixture-recording.ts';
import { writeSps } from './sps-writer.ts';

const TIMES: readonly Defect[] = [
  [
    'the PTS of one picture is off by one tick',
    ['pts-slot', 'pcr-lead'],
    () =>
      planned((plan) => {
        if (plan.pictures[7]) plan.pictures[7].pts = 21_001;
      }),
  ],
  [
    'the first PTS is off by one tick',
    ['pts-first', 'pts-slot', 'pcr-lead'],
    () =>
      planned((plan) => {
        if (plan.pictures[0]) plan.pictures[0].pts = 1;
      }),
  ],
  [
    'two pictures have the same PTS',
    ['pts-order', 'pcr-lead'],
    () =>
      planned((plan) => {
        if (plan.pictures[7]) plan.pictures[7].pts = 18_000;
      }),
  ],
  [
    'a picture lies in the next segment',
    ['pts-slot', 'last-slots', 'pcr-lead'],
    () =>
      planned((plan) => {
        if (plan.pictures[47]) plan.pictures[47].pts = 144_000;
      }),
  ],
  [
    'DTS differs from PTS',
    ['dts', 'pcr-lead'],
    () =>
      planned((plan) => {
        if (plan.pictures[7]) plan.pictures[7].dts = 18_000;
      }),
  ],
  [
    'the origin of PTS is moved',
    ['pts-origin'],
    () =>
      plannedAll((plan) => {
        plan.ptsOrigin += 1;
      }),
  ],
  [
    'the sound is one priming frame late',
    ['audio-pts'],
    () =>
      planned((plan) => {
        plan.soundShift = 1920;
      }),
  ],
  [
    'a frame of sound is missing',
    ['audio-frames'],
    () =>
      planned((plan) => {
        plan.sound.splice(10, 1);
      }),
  ],
  [
    'a frame of sound too many',
    ['audio-frames'],
    () =>
      planned((plan) => {
        plan.sound.push(plan.sound[0] ?? AUD);
      }),
  ],
];

const PICTURES: readonly Defect[] = [
  [
    'the segment starts without IDR',
    ['idr-first', 'first-slot', 'pcr-lead', 'nal-syntax'],
    () =>
      planned((plan) => {
        plan.pictures.shift();
      }),
  ],
  [
    'the IDR comes without SPS and PPS',
    ['idr-first', 'nal-syntax'],
    () =>
      planned((plan) => {
        plan.pictures[0]?.nals.splice(1, 2);
      }),
  ],
  [
    'the last slot is empty',
    ['last-slots'],
    () =>
      planned((plan) => {
        plan.pictures.pop();
      }),
  ],
  [
    'the last slot but one is empty',
    ['last-slots', 'frame-num'],
    () =>
      planned((plan) => {
        plan.pictures.splice(46, 1);
      }),
  ],
  [
    'no picture for 233 ms',
    ['slot-gap', 'frame-num'],
    () =>
      planned((plan) => {
        plan.pictures.splice(11, 6);
      }),
  ],
  [
    'a picture is lost',
    ['frame-num'],
    () =>
      planned((plan) => {
        plan.pictures.splice(20, 1);
      }),
  ],
  [
    'an access unit has no delimiter',
    ['aud'],
    () =>
      planned((plan) => {
        plan.pictures[9]?.nals.shift();
      }),
  ],
  [
    'the delimiter promises I slices only',
    ['aud'],
    () =>
      planned((plan) => {
        plan.pictures[9]?.nals.splice(0, 1, Buffer.from([9, 0x10]));
      }),
  ],
  [
    'two pictures in one PES packet',
    ['access-unit', 'frame-num'],
    () =>
      planned((plan) => {
        plan.pictures[9]?.nals.push(...(plan.pictures[10]?.nals ?? []));
        plan.pictures.splice(10, 1);
      }),
  ],
  [
    'a B slice',
    ['no-b-frames'],
    () =>
      planned((plan) => {
        plan.pictures[9]?.nals.splice(1, 1, asSliceB(plan.pictures[9].nals[1]));
      }),
  ],
  [
    'a NAL unit of an unknown type',
    ['nal-syntax'],
    () =>
      planned((plan) => {
        plan.pictures[9]?.nals.push(Buffer.from([0x1e, 0x80]));
      }),
  ],
  [
    'the SPS changes without EXT-X-DISCONTINUITY',
    ['parameter-sets', 'discontinuity'],
    () => withSps(writeSps({ level: 11 }), ({ n }) => n === 1),
  ],
  [
    'the coded size changes',
    ['coded-size', 'parameter-sets', 'discontinuity'],
    () => withSps(writeSps({ widthMbs: 5 }), ({ n }) => n === 1),
  ],
  ['an odd width', ['size-even'], () => withSps(writeSps({ chroma444: true, cropRight: 1 }))],
  ['pixels are not square', ['square-pixels'], () => withSps(writeSps({ sar: [4, 3] }))],
  ['the colour range is full', ['colour'], () => withSps(writeSps({ fullRange: true }))],
  ['the colour matrix is BT.601', ['colour'], () => withSps(writeSps({ colour: [1, 1, 6] }))],
  ['no colour description', ['colour'], () => withSps(writeSps({ colour: undefined }))],
  [
    'the level is too low for the size',
    ['level'],
    () => withSps(writeSps({ widthMbs: 20, heightMbs: 15 })),
  ],
];

const SOUND: readonly Defect[] = [
  [
    'the sound is mono',
    ['audio-format', 'adts'],
    () =>
      planned((plan) => {
        plan.sound[9] = editFrame(plan.sound[9], 3, (byte) => (byte & 0x3f) | 0x40);
      }),
  ],
  [
    'the sound is 44.1 kHz',
    ['audio-format'],
    () =>
      plannedAll((plan) => {
        plan.sound = plan.sound.map((frame) => editFrame(frame, 2, (byte) => byte + 4));
      }),
  ],
  [
    'an ADTS length is one too long',
    ['adts', 'audio-frames', 'audio-pts'],
    () =>
      planned((plan) => {
        plan.sound[9] = editFrame(plan.sound[9], 5, (byte) => byte + 0x20);
      }),
  ],
];

/** Replaces the SPS of all segments. */
function withSps(sps: Buffer, which: (plan: SegmentPlan) => boolean = () => true): Recording {
  return buildRecording((plans) => {
    for (const plan of plans.filter(which)) {
      const nals = plan.pictures[0]?.nals;
      if (nals) nals[1] = sps;
    }
  });
}

/** The slice with slice_type 5 (P) turned into 6 (B), in the bits 1 00110 → 1 00111. */
function asSliceB(slice: Buffer | undefined): Buffer {
  const copy = Buffer.from(slice ?? []);
  if (copy.readUInt8(1) >> 2 !== 0b100110) throw new Error('not a P slice at macroblock 0');
  copy.writeUInt8(copy.readUInt8(1) | 0b100, 1);
  return copy;
}

function editFrame(frame: Buffer | undefined, at: number, edit: (byte: number) => number): Buffer {
  const copy = Buffer.from(frame ?? []);
  copy.writeUInt8(edit(copy.readUInt8(at)) & 255, at);
  return copy;
}

describe('times', () => {
  testDefects(TIMES);
});
describe('pictures', () => {
  testDefects(PICTURES);
});
describe('sound', () => {
  testDefects(SOUND);
});
