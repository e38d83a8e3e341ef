import { AUD, AUDIO_PID, PMT_PID, section } from './fixture-stream.ts';
import { editByte, packets, planned, plannedAll, testDefects, type Defect } from './defects.ts';
import { audio, payloadStart, pidOf, video } from './packets.ts';

const isTable =
  (pid: number) =>
  (packet: Buffer): boolean =>
    pidOf(packet) === pid;

const TRANSPORT: readonly Defect[] = [
  [
    'a byte is lost',
    [
      'packet-size',
      'packet-sync',
      'counter-multiple',
      'adts',
      'audio-frames',
      'last-slots',
      'pcr-interval',
      'pes-whole',
      'psi-interval',
    ],
    () => packets((all) => [...all.slice(0, 99), all[99]?.subarray(1) ?? AUD, ...all.slice(100)]),
  ],
  [
    'the segment is truncated',
    ['counter-multiple', 'psi-interval', 'pcr-interval', 'last-slots', 'audio-frames'],
    () => packets((all) => all.slice(0, -40)),
  ],
  [
    'the sync byte is wrong',
    [
      'packet-sync',
      'counter-step',
      'counter-multiple',
      'adts',
      'audio-frames',
      'audio-pts',
      'pes-length',
    ],
    () => packets((all) => editByte(audio(all, 3), 0, () => 0x46)),
  ],
  [
    'an error is signalled',
    ['packet-header', 'counter-step', 'counter-multiple', 'frame-num', 'psi-interval'],
    () => packets((all) => editByte(video(all, 3), 1, (byte) => byte | 0x80)),
  ],
  [
    'a time-base discontinuity is signalled',
    ['packet-header'],
    () => packets((all) => editByte(video(all, 3), 5, (byte) => byte | 0x80)),
  ],
  [
    'a packet of a PID that no table lists',
    ['unlisted-pid'],
    () =>
      packets((all) => {
        const alien = Array.from({ length: 16 }, (_, at) => {
          const packet = Buffer.alloc(188, 0xff);
          packet.writeUInt32BE(0x47010210 + at);
          return packet;
        });
        return [...all, ...alien];
      }),
  ],
  [
    'the first PAT is missing',
    ['psi-first', 'psi-interval', 'counter-start', 'counter-multiple'],
    () => packets((all) => all.slice(1)),
  ],
  [
    'there is no PMT',
    ['psi-first', 'psi-interval'],
    () => packets((all) => all.filter((packet) => pidOf(packet) !== PMT_PID || packet === all[2])),
  ],
  [
    'tables are left out for 100 ms',
    ['psi-interval', 'counter-multiple'],
    () =>
      planned((plan) => {
        plan.withoutTables = [5];
      }),
  ],
  [
    'the CRC of one PMT is wrong',
    ['psi-crc'],
    () => packets((all) => editByte(all.filter(isTable(PMT_PID))[7], 10, (byte) => byte ^ 1)),
  ],
  [
    'the PMT changes its version',
    ['psi-constant'],
    () =>
      packets((all) => {
        const packet = all.filter(isTable(PMT_PID))[7];
        const body = [...(packet?.subarray(5, 5 + 23) ?? [])];
        body[5] = 0xc3;
        section(body.slice(0, 22)).copy(packet ?? AUD, 4);
        return undefined;
      }),
  ],
  [
    'stuffing after a table is not 0xFF',
    ['psi-syntax'],
    () => packets((all) => editByte(all[0], 187, () => 0)),
  ],
  [
    'sound of another stream type',
    ['stream-types', 'audio-frames', 'psi-constant'],
    () =>
      planned((plan) => {
        plan.audioType = 0x03;
      }),
  ],
  [
    'a continuity counter is flipped',
    ['counter-step'],
    () => packets((all) => editByte(video(all, 5), 3, (byte) => byte ^ 4)),
  ],
  [
    'a packet of sound is dropped',
    ['counter-step', 'counter-multiple', 'pes-whole', 'adts', 'audio-frames', 'audio-pts'],
    () =>
      packets((all) => {
        const at = all.indexOf(audio(all, 4));
        return all.filter((_, index) => index !== at + 1);
      }),
  ],
  [
    'counters do not start at 0',
    ['counter-start'],
    () =>
      packets((all) => {
        for (const packet of all.filter(isTable(AUDIO_PID)))
          packet.writeUInt8((packet.readUInt8(3) & 0xf0) | ((packet.readUInt8(3) + 1) & 15), 3);
        return undefined;
      }),
  ],
  [
    'sound has not a multiple of 16 packets',
    ['counter-multiple'],
    () =>
      packets((all) => {
        const last = all.findLast(isTable(AUDIO_PID)) ?? AUD;
        return splitLast(all, last);
      }),
  ],
  [
    'PCR is missing for 200 ms',
    ['pcr-interval', 'psi-interval'],
    () =>
      planned((plan) => {
        plan.withoutPcr = [6];
      }),
  ],
  [
    'the last PCRs are missing',
    ['pcr-interval'],
    () =>
      planned((plan) => {
        plan.withoutPcr = [15];
      }),
  ],
  [
    'a PCR jumps back',
    ['pcr-order', 'pcr-lead', 'psi-interval'],
    () =>
      packets((all) => {
        const packet = video(all, 9);
        video(all, 8).copy(packet, 6, 6, 12);
        return undefined;
      }),
  ],
  [
    'the lead of the PCR changes in one segment',
    ['pcr-lead'],
    () =>
      planned((plan) => {
        plan.leadTicks -= 300;
      }),
  ],
  [
    'PCR comes after DTS',
    ['pcr-lead', 'pcr-after-dts'],
    () =>
      plannedAll((plan) => {
        plan.leadTicks = -1;
      }),
  ],
  [
    'the lead of the PCR is below 500 ms',
    ['pcr-lead'],
    () =>
      plannedAll((plan) => {
        plan.leadTicks = 44_999;
      }),
  ],
  [
    'reserved bits of a PCR are not set',
    ['pcr-value'],
    () => packets((all) => editByte(video(all, 9), 10, (byte) => byte & 0x81)),
  ],
  [
    'a PES start code is damaged',
    ['pes-header', 'frame-num'],
    () =>
      packets((all) => {
        const packet = video(all, 5);
        packet.writeUInt8(2, payloadStart(packet) + 2);
        return undefined;
      }),
  ],
  [
    'a PES length is wrong',
    ['pes-length'],
    () =>
      packets((all) => {
        const packet = audio(all, 5);
        const at = payloadStart(packet) + 4;
        packet.writeUInt16BE(packet.readUInt16BE(at) - 1, at);
        return undefined;
      }),
  ],
];

/** Cuts the payload of `last` in two packets. */
function splitLast(all: Buffer[], last: Buffer): Buffer[] {
  const at = all.indexOf(last);
  const payload = last.subarray(payloadStart(last));
  const half = Math.floor(payload.length / 2);
  const counter = last.readUInt8(3) & 15;
  const parts = [payload.subarray(0, half), payload.subarray(half)].map((part, index) => {
    const packet = Buffer.alloc(188, 0xff);
    packet.writeUInt8(0x47, 0);
    packet.writeUInt16BE(index === 0 ? last.readUInt16BE(1) : AUDIO_PID, 1);
    packet.writeUInt8(0x30 | ((counter + index) & 15), 3);
    packet.writeUInt8(183 - part.length, 4);
    packet.writeUInt8(0, 5);
    part.copy(packet, 188 - part.length);
    return packet;
  });
  return [...all.slice(0, at), ...parts, ...all.slice(at + 1)];
}

testDefects(TRANSPORT);
