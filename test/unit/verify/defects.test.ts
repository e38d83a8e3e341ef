import { describe, expect, test } from 'vitest';
import { AUD, AUDIO_PID, PMT_PID, section } from './fixture-stream.ts';
import type { SegmentPlan } from './fixture-stream.ts';
import { buildRecording, rulesOf, verifyRecording, type Recording } from './fixture-recording.ts';
import { audio, editPackets, payloadStart, pidOf, video } from './packets.ts';
import { writeSps } from './sps-writer.ts';
import type { RuleId } from '../../../src/verify/rules.ts';

/** What a defect does, the rules that name it, and how it is made. */
type Defect = readonly [title: string, rules: readonly RuleId[], make: () => Recording];

const SPOILT = 'segment-1.ts';

/** A recording whose middle segment is planned otherwise. */
function planned(change: (plan: SegmentPlan) => void): Recording {
  return buildRecording(([, plan]) => {
    if (plan) change(plan);
  });
}

/** A recording whose middle segment has other packets. */
function packets(edit: (packets: Buffer[]) => Buffer[] | undefined): Recording {
  return editPackets(buildRecording(), SPOILT, edit);
}

/** A recording with one place of the playlist replaced. */
function written(from: string | RegExp, to: string): Recording {
  const recording = buildRecording();
  const playlist = recording.playlist.replace(from, to);
  if (playlist === recording.playlist) throw new Error(`${String(from)} is not in the playlist`);
  return { ...recording, playlist };
}

/** Replaces the SPS of all segments. */
function withSps(sps: Buffer, which: (plan: SegmentPlan) => boolean = () => true): Recording {
  return buildRecording((plans) => {
    for (const plan of plans.filter(which)) {
      const nals = plan.pictures[0]?.nals;
      if (nals) nals[1] = sps;
    }
  });
}

const isTable = (pid: number) => (packet: Buffer) => pidOf(packet) === pid;

const TRANSPORT: readonly Defect[] = [
  ['a byte is lost', ['packet-size', 'packet-sync', 'counter-multiple', 'adts', 'audio-frames', 'last-slots', 'pcr-interval', 'pes-whole', 'psi-interval'], () =>
    packets((all) => [...all.slice(0, 99), all[99]?.subarray(1) ?? AUD, ...all.slice(100)])],
  ['the segment is truncated', ['counter-multiple', 'psi-interval', 'pcr-interval', 'last-slots', 'audio-frames'], () =>
    packets((all) => all.slice(0, -40))],
  ['the sync byte is wrong', ['packet-sync', 'counter-step', 'counter-multiple', 'adts', 'audio-frames', 'audio-pts', 'pes-length'], () =>
    packets((all) => { audio(all, 3).writeUInt8(0x46, 0); return undefined; })],
  ['an error is signalled', ['packet-header', 'counter-step', 'counter-multiple', 'frame-num', 'psi-interval'], () =>
    packets((all) => { const packet = video(all, 3); packet.writeUInt8(packet.readUInt8(1) | 0x80, 1); return undefined; })],
  ['a time-base discontinuity is signalled', ['packet-header'], () =>
    packets((all) => { const packet = video(all, 3); packet.writeUInt8(packet.readUInt8(5) | 0x80, 5); return undefined; })],
  ['a packet of a PID that no table lists', ['unlisted-pid'], () =>
    packets((all) => { const alien = Array.from({ length: 16 }, (_, at) => { const packet = Buffer.alloc(188, 0xff); packet.writeUInt32BE(0x47010210 + at); return packet; }); return [...all, ...alien]; })],
  ['the first PAT is missing', ['psi-first', 'psi-interval', 'counter-start', 'counter-multiple'], () =>
    packets((all) => all.slice(1))],
  ['there is no PMT', ['psi-first', 'psi-interval'], () =>
    packets((all) => all.filter((packet) => pidOf(packet) !== PMT_PID || packet === all[2]))],
  ['tables are left out for 100 ms', ['psi-interval', 'counter-multiple'], () =>
    planned((plan) => { plan.withoutTables = [5]; })],
  ['the CRC of one PMT is wrong', ['psi-crc'], () =>
    packets((all) => { const packet = all.filter(isTable(PMT_PID))[7]; packet?.writeUInt8(packet.readUInt8(10) ^ 1, 10); return undefined; })],
  ['the PMT changes its version', ['psi-constant'], () =>
    packets((all) => {
      const packet = all.filter(isTable(PMT_PID))[7];
      const body = [...(packet?.subarray(5, 5 + 23) ?? [])];
      body[5] = 0xc3;
      section(body.slice(0, 22)).copy(packet ?? AUD, 4);
      return undefined;
    })],
  ['stuffing after a table is not 0xFF', ['psi-syntax'], () =>
    packets((all) => { all[0]?.writeUInt8(0, 187); return undefined; })],
  ['sound of another stream type', ['stream-types', 'audio-frames', 'psi-constant'], () =>
    planned((plan) => { plan.audioType = 0x03; })],
  ['a continuity counter is flipped', ['counter-step'], () =>
    packets((all) => { const packet = video(all, 5); packet.writeUInt8(packet.readUInt8(3) ^ 4, 3); return undefined; })],
  ['a packet of sound is dropped', ['counter-step', 'counter-multiple', 'pes-whole', 'adts', 'audio-frames', 'audio-pts'], () =>
    packets((all) => { const at = all.indexOf(audio(all, 4)) ; return all.filter((_, index) => index !== at + 1); })],
  ['counters do not start at 0', ['counter-start'], () =>
    packets((all) => {
      for (const packet of all.filter(isTable(AUDIO_PID))) packet.writeUInt8((packet.readUInt8(3) & 0xf0) | ((packet.readUInt8(3) + 1) & 15), 3);
      return undefined;
    })],
  ['sound has not a multiple of 16 packets', ['counter-multiple'], () =>
    packets((all) => {
      const last = all.findLast(isTable(AUDIO_PID)) ?? AUD;
      return splitLast(all, last);
    })],
  ['PCR is missing for 200 ms', ['pcr-interval', 'psi-interval'], () =>
    planned((plan) => { plan.withoutPcr = [6]; })],
  ['the last PCRs are missing', ['pcr-interval'], () =>
    planned((plan) => { plan.withoutPcr = [15]; })],
  ['a PCR jumps back', ['pcr-order', 'pcr-lead', 'psi-interval'], () =>
    packets((all) => { const packet = video(all, 9); video(all, 8).copy(packet, 6, 6, 12); return undefined; })],
  ['the lead of the PCR changes in one segment', ['pcr-lead'], () =>
    planned((plan) => { plan.leadTicks -= 300; })],
  ['PCR comes after DTS', ['pcr-lead', 'pcr-after-dts'], () =>
    buildRecording((plans) => { for (const plan of plans) plan.leadTicks = -1; })],
  ['the lead of the PCR is below 500 ms', ['pcr-lead'], () =>
    buildRecording((plans) => { for (const plan of plans) plan.leadTicks = 44_999; })],
  ['reserved bits of a PCR are not set', ['pcr-value'], () =>
    packets((all) => { const packet = video(all, 9); packet.writeUInt8(packet.readUInt8(10) & 0x81, 10); return undefined; })],
  ['a PES start code is damaged', ['pes-header', 'frame-num'], () =>
    packets((all) => { const packet = video(all, 5); packet.writeUInt8(2, payloadStart(packet) + 2); return undefined; })],
  ['a PES length is wrong', ['pes-length'], () =>
    packets((all) => { const packet = audio(all, 5); const at = payloadStart(packet) + 4; packet.writeUInt16BE(packet.readUInt16BE(at) - 1, at); return undefined; })],
]; // prettier-ignore

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

const TIMES: readonly Defect[] = [
  ['the PTS of one picture is off by one tick', ['pts-slot', 'pcr-lead'], () =>
    planned((plan) => { if (plan.pictures[7]) plan.pictures[7].pts = 21_001; })],
  ['the first PTS is off by one tick', ['pts-first', 'pts-slot', 'pcr-lead'], () =>
    planned((plan) => { if (plan.pictures[0]) plan.pictures[0].pts = 1; })],
  ['two pictures have the same PTS', ['pts-order', 'pcr-lead'], () =>
    planned((plan) => { if (plan.pictures[7]) plan.pictures[7].pts = 18_000; })],
  ['a picture lies in the next segment', ['pts-slot', 'last-slots', 'pcr-lead'], () =>
    planned((plan) => { if (plan.pictures[47]) plan.pictures[47].pts = 144_000; })],
  ['DTS differs from PTS', ['dts', 'pcr-lead'], () =>
    planned((plan) => { if (plan.pictures[7]) plan.pictures[7].dts = 18_000; })],
  ['the origin of PTS is moved', ['pts-origin'], () =>
    buildRecording((plans) => { for (const plan of plans) plan.ptsOrigin += 1; })],
  ['the sound is one priming frame late', ['audio-pts'], () =>
    planned((plan) => { plan.soundShift = 1920; })],
  ['a frame of sound is missing', ['audio-frames'], () =>
    planned((plan) => { plan.sound.splice(10, 1); })],
  ['a frame of sound too many', ['audio-frames'], () =>
    planned((plan) => { plan.sound.push(plan.sound[0] ?? AUD); })],
]; // prettier-ignore

const PICTURES: readonly Defect[] = [
  ['the segment starts without IDR', ['idr-first', 'first-slot', 'pcr-lead', 'nal-syntax'], () =>
    planned((plan) => { plan.pictures.shift(); })],
  ['the IDR comes without SPS and PPS', ['idr-first', 'nal-syntax'], () =>
    planned((plan) => { plan.pictures[0]?.nals.splice(1, 2); })],
  ['the last slot is empty', ['last-slots'], () => planned((plan) => { plan.pictures.pop(); })],
  ['the last slot but one is empty', ['last-slots', 'frame-num'], () =>
    planned((plan) => { plan.pictures.splice(46, 1); })],
  ['no picture for 233 ms', ['slot-gap', 'frame-num'], () =>
    planned((plan) => { plan.pictures.splice(11, 6); })],
  ['a picture is lost', ['frame-num'], () => planned((plan) => { plan.pictures.splice(20, 1); })],
  ['an access unit has no delimiter', ['aud'], () =>
    planned((plan) => { plan.pictures[9]?.nals.shift(); })],
  ['the delimiter promises I slices only', ['aud'], () =>
    planned((plan) => { plan.pictures[9]?.nals.splice(0, 1, Buffer.from([9, 0x10])); })],
  ['two pictures in one PES packet', ['access-unit', 'frame-num'], () =>
    planned((plan) => { plan.pictures[9]?.nals.push(...(plan.pictures[10]?.nals ?? [])); plan.pictures.splice(10, 1); })],
  ['a B slice', ['no-b-frames'], () =>
    planned((plan) => { plan.pictures[9]?.nals.splice(1, 1, asSliceB(plan.pictures[9].nals[1])); })],
  ['a NAL unit of an unknown type', ['nal-syntax'], () =>
    planned((plan) => { plan.pictures[9]?.nals.push(Buffer.from([0x1e, 0x80])); })],
  ['the SPS changes without EXT-X-DISCONTINUITY', ['parameter-sets', 'discontinuity'], () =>
    withSps(writeSps({ level: 11 }), ({ n }) => n === 1)],
  ['the coded size changes', ['coded-size', 'parameter-sets', 'discontinuity'], () =>
    withSps(writeSps({ widthMbs: 5 }), ({ n }) => n === 1)],
  ['an odd width', ['size-even'], () => withSps(writeSps({ chroma444: true, cropRight: 1 }))],
  ['pixels are not square', ['square-pixels'], () => withSps(writeSps({ sar: [4, 3] }))],
  ['the colour range is full', ['colour'], () => withSps(writeSps({ fullRange: true }))],
  ['the colour matrix is BT.601', ['colour'], () => withSps(writeSps({ colour: [1, 1, 6] }))],
  ['no colour description', ['colour'], () => withSps(writeSps({ colour: undefined }))],
  ['the level is too low for the size', ['level'], () => withSps(writeSps({ widthMbs: 20, heightMbs: 15 }))],
]; // prettier-ignore

/** The slice with slice_type 5 (P) turned into 6 (B), in the bits 1 00110 → 1 00111. */
function asSliceB(slice: Buffer | undefined): Buffer {
  const copy = Buffer.from(slice ?? []);
  if (copy.readUInt8(1) >> 2 !== 0b100110) throw new Error('not a P slice at macroblock 0');
  copy.writeUInt8(copy.readUInt8(1) | 0b100, 1);
  return copy;
}

const SOUND: readonly Defect[] = [
  ['the sound is mono', ['audio-format', 'adts'], () =>
    planned((plan) => { plan.sound[9] = editFrame(plan.sound[9], 3, (byte) => (byte & 0x3f) | 0x40); })],
  ['the sound is 44.1 kHz', ['audio-format'], () =>
    buildRecording((plans) => { for (const plan of plans) plan.sound = plan.sound.map((frame) => editFrame(frame, 2, (byte) => byte + 4)); })],
  ['an ADTS length is one too long', ['adts', 'audio-frames', 'audio-pts'], () =>
    planned((plan) => { plan.sound[9] = editFrame(plan.sound[9], 5, (byte) => byte + 0x20); })],
]; // prettier-ignore

function editFrame(frame: Buffer | undefined, at: number, edit: (byte: number) => number): Buffer {
  const copy = Buffer.from(frame ?? []);
  copy.writeUInt8(edit(copy.readUInt8(at)) & 255, at);
  return copy;
}

const PLAYLIST: readonly Defect[] = [
  ['the playlist has no header', ['playlist-syntax'], () => written('#EXTM3U\n', '')],
  ['a tag comes twice', ['playlist-syntax'], () => written('#EXT-X-VERSION:8', '#EXT-X-VERSION:8\n#EXT-X-VERSION:8')],
  ['the version is too low for GAP', ['playlist-version'], () => written(/VERSION:8([^]*)#EXTINF:1.6,\nsegment-1/, 'VERSION:7$1#EXT-X-GAP\n#EXTINF:1.6,\nsegment-1')],
  ['the target duration is 3', ['target-duration'], () => written('TARGETDURATION:2', 'TARGETDURATION:3')],
  ['there is no media sequence', ['media-sequence'], () => written('#EXT-X-MEDIA-SEQUENCE:0\n', '')],
  ['the media sequence is one too high', ['pts-origin'], () => written('SEQUENCE:0', 'SEQUENCE:1')],
  ['one EXTINF is 1.601', ['extinf'], () => written('1.6,\nsegment-1', '1.601,\nsegment-1')],
  ['one PROGRAM-DATE-TIME is 1 ms late', ['program-date-time'], () => written('.600Z', '.601Z')],
  ['t0 is no multiple of 1600', ['program-date-time'], () => written(/\.(\d)00Z/g, '.$150Z')],
  ['a PROGRAM-DATE-TIME is missing', ['program-date-time'], () => written(/#EXT-X-PROGRAM.*\n(?=.*\nsegment-1)/, '')],
  ['two segments are swapped', ['entry-order'], () => written(/segment-1\.ts([^]*)segment-2/, 'segment-2.ts$1segment-1')],
  ['a segment comes twice', ['entry-order'], () => written('segment-2.ts', 'segment-1.ts')],
  ['a segment is missing', ['entry-missing'], () => written('segment-2.ts', 'segment-3.ts')],
  ['a needless EXT-X-DISCONTINUITY', ['discontinuity'], () => written(/(#EXTINF.*\nsegment-1)/, '#EXT-X-DISCONTINUITY\n$1')],
  ['entries after ENDLIST', ['playlist-end'], movedEnd],
  ['a VOD playlist without ENDLIST', ['playlist-end'], () => { const { playlist, segments } = written('EVENT', 'VOD'); return { segments, playlist: playlist.replace('#EXT-X-ENDLIST\n', '') }; }],
  ['EXT-X-START lies outside', ['playlist-start'], () => written('#EXT-X-VERSION:8', '#EXT-X-VERSION:8\n#EXT-X-START:TIME-OFFSET=4.9,PRECISE=YES')],
]; // prettier-ignore

function movedEnd(): Recording {
  const { playlist, segments } = written('#EXT-X-ENDLIST\n', '');
  return { segments, playlist: playlist.replace('#EXT-X-MEDIA', '#EXT-X-ENDLIST\n#EXT-X-MEDIA') };
}

describe.each([
  ['transport stream', TRANSPORT],
  ['times', TIMES],
  ['pictures', PICTURES],
  ['sound', SOUND],
  ['playlist', PLAYLIST],
])('seeded defects of the %s', (_, defects) => {
  test.each(defects)('%s is caught as %j', async (__, rules, make) => {
    expect(rulesOf(await verifyRecording(make()))).toEqual([...rules].sort());
  });
});
