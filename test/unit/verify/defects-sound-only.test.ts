import { expect, test } from 'vitest';
import { SEGMENT_TICKS, type SegmentPlan } from './fixture-stream.ts';
import { editByte, testDefects, type Defect } from './defects.ts';
import { buildRecording, rulesOf, verifyRecording, type Recording } from './fixture-recording.ts';
import { audio, editPackets } from './packets.ts';

/** A recording of sound alone whose middle segment is planned otherwise. */
function soundOnly(change: (plan: SegmentPlan) => void = () => undefined): Recording {
  return buildRecording((plans) => {
    for (const plan of plans) plan.hasVideo = false;
    if (plans[1]) change(plans[1]);
  });
}

/** A recording of sound alone whose middle segment has other packets. */
function soundPackets(edit: (packets: Buffer[]) => Buffer[] | undefined): Recording {
  return editPackets(soundOnly(), 'segment-1.ts', edit);
}

/** The `nth` packet that carries a PCR and no payload. */
function lonePcr(packets: Buffer[], nth: number): Buffer | undefined {
  return packets.filter((packet) => packet.readUInt8(3) >> 4 === 2)[nth];
}

/** Adds ticks of 90 kHz to a PCR, below 2^32. */
function shiftPcr(packet: Buffer | undefined, ticks: number): undefined {
  if (!packet) throw new Error('there is no PCR to shift');
  const base = packet.readUInt32BE(6) * 2 + (packet.readUInt8(10) >> 7) + ticks;
  packet.writeUInt32BE(Math.floor(base / 2), 6);
  packet.writeUInt8(((base % 2) << 7) | (packet.readUInt8(10) & 0x7f), 10);
}

const DEFECTS: readonly Defect[] = [
  [
    'the first PTS is off by one tick',
    ['pts-first', 'audio-pts', 'pcr-lead'],
    () =>
      soundOnly((plan) => {
        plan.soundShift = 1;
      }),
  ],
  [
    'the sound is one priming frame late',
    ['pts-first', 'audio-pts', 'pcr-lead'],
    () =>
      soundOnly((plan) => {
        plan.soundShift = 1920;
      }),
  ],
  [
    'the sound is of the next segment',
    ['entry-order', 'pcr-lead', 'pcr-interval'],
    () =>
      soundOnly((plan) => {
        plan.soundShift = SEGMENT_TICKS;
      }),
  ],
  [
    'a frame is missing',
    ['audio-frames'],
    () =>
      soundOnly((plan) => {
        plan.sound.pop();
      }),
  ],
  [
    'a PCR by itself is 70 ms late',
    ['pcr-lead', 'pcr-interval', 'psi-interval'],
    () => soundPackets((all) => shiftPcr(lonePcr(all, 5), 6300)),
  ],
  [
    'PCR is missing for 200 ms',
    ['pcr-interval', 'psi-interval'],
    () =>
      soundOnly((plan) => {
        plan.withoutPcr = [7];
      }),
  ],
  [
    'the lead is below 500 ms',
    ['pcr-lead'],
    () =>
      buildRecording((plans) => {
        for (const plan of plans) Object.assign(plan, { hasVideo: false, leadTicks: 44_999 });
      }),
  ],
  [
    'a counter of a packet without payload steps',
    ['counter-step'],
    () =>
      soundPackets((all) =>
        editByte(lonePcr(all, 4), 3, (byte) => (byte & 0xf0) | ((byte + 1) & 15)),
      ),
  ],
  [
    'the segment starts in the middle of a PES packet',
    [
      'counter-step',
      'counter-multiple',
      'pes-whole',
      'idr-first',
      'pts-first',
      'audio-frames',
      'audio-pts',
      'pcr-lead',
    ],
    () => soundPackets((all) => all.filter((packet) => packet !== audio(all, 0))),
  ],
  [
    'the sound changes its MPEG version without EXT-X-DISCONTINUITY',
    ['adts', 'discontinuity'],
    () =>
      soundOnly((plan) => {
        plan.sound = plan.sound.map((frame) => {
          const copy = Buffer.from(frame);
          editByte(copy, 1, (byte) => byte ^ 8);
          return copy;
        });
      }),
  ],
];

testDefects(DEFECTS);

test('accepts that the sound changes at EXT-X-DISCONTINUITY', async () => {
  const changed = DEFECTS.at(-1)?.[2]() ?? soundOnly();
  const playlist = changed.playlist.replace(
    /(#EXT-X-PROGRAM.*\n#EXTINF.*\nsegment-[12])/g,
    '#EXT-X-DISCONTINUITY\n$1',
  );
  expect(rulesOf(await verifyRecording({ ...changed, playlist }))).toEqual([]);
});

test('knows a hole in a recording of sound alone', async () => {
  const { playlist, segments } = soundOnly();
  segments.delete('segment-1.ts');
  const report = await verifyRecording({
    segments,
    playlist: playlist.replace(/(#EXTINF.*\nsegment-1)/, '#EXT-X-GAP\n$1'),
  });
  expect(rulesOf(report)).toEqual([]);
  expect(report.summary).toMatchObject({ gaps: 1, pictures: 0, audioFrames: 150 });
});
