import { attempt } from '../attempt.ts';
import type { Complain } from '../findings.ts';
import { BitReader } from '../video/bits.ts';
import { NAL, rbspOf, readNalUnit, type NalUnit } from '../video/nal.ts';
import { createOrderCheck } from '../video/order.ts';
import { checkPictureFormat } from '../video/picture-format.ts';
import { SLICE_B, parseSlice, type ParameterSets } from '../video/slice.ts';
import type { Sps } from '../video/sps.ts';
import { findBox } from './boxes.ts';
import { TrackSets } from './track-sets.ts';
import type { Sample, Track } from './track.ts';

const SLICE_HEADER_BYTES = 256;
const RATE_48_KHZ = 48_000;
const STEREO = 2;
/** AudioSpecificConfig of AAC-LC, 48 kHz, stereo: 5 bits 2, 4 bits 3, 4 bits 2. */
const AAC_LC_48_STEREO = 0b00010_0011_0010;

/** Checks the sound's sample entry (ISO/IEC 14496-14 §5.6). */
export function checkSound(track: Track, complain: Complain): void {
  const [channels, rate] = [track.entry.readUInt16BE(16), track.entry.readUInt16BE(24)];
  const esds = findBox(track.entryBoxes, 'esds')?.body;
  const config = esds && findDecoderConfig(esds);
  const head = config && config.length >= 2 ? config.readUInt16BE(0) >> 3 : undefined;
  const isRight = channels === STEREO && rate === RATE_48_KHZ && head === AAC_LC_48_STEREO;
  if (track.format !== 'mp4a' || !isRight || track.timescale !== RATE_48_KHZ) {
    const text = `${track.format}, ${channels} channels, ${rate} Hz, timescale ${track.timescale}`;
    complain('mp4-codec', null, `sound: ${text}, configuration ${config?.toString('hex')}`);
  }
}

/** The DecoderSpecificInfo inside `esds`: descriptors 3 → 4 → 5. */
function findDecoderConfig(esds: Buffer): Buffer | undefined {
  const skips: Record<number, number> = { 3: 3, 4: 13 };
  for (let at = 4; at < esds.length;) {
    const tag = esds.readUInt8(at);
    let length = 0;
    for (let more = true; more;) {
      at += 1;
      const byte = esds[at] ?? 0;
      length = length * 128 + (byte & 0x7f);
      more = (byte & 0x80) !== 0;
    }
    at += 1;
    if (tag === 5) return esds.subarray(at, at + length);
    at += skips[tag] ?? length;
  }
  return undefined;
}

/** Checks avcC and every picture of a video track; `rate` is frames per second, for the level. */
export function checkVideo(
  track: Track,
  { file, rate }: { file: Buffer; rate: number | undefined },
  complain: Complain,
): Sps | undefined {
  const avcC = findBox(track.entryBoxes, 'avcC')?.body;
  if (track.format !== 'avc1' || !avcC) {
    complain(
      'mp4-codec',
      null,
      `the sample entry is ${track.format}, avcC ${avcC ? '' : 'absent'}`,
    );
    return undefined;
  }
  const sets = TrackSets.parse(avcC);
  const listed = [...sets.sps.values()];
  for (const sps of listed) checkPictureFormat(sps, rate, complain);
  const sizes = new Set(listed.map(sizeOf));
  const lengthSize = ((avcC[4] ?? 0) & 3) + 1;
  const order = createOrderCheck();
  for (const [index, sample] of track.samples.entries()) {
    const refuse = (message: string): void => {
      complain('mp4-nal', sample.offset, `sample ${index + 1}: ${message}`);
    };
    const isIdr = attempt(() => {
      const nals = readNals(file, sample, lengthSize);
      for (const sps of sets.takeFrom(nals)) {
        checkPictureFormat(sps, rate, complain);
        sizes.add(sizeOf(sps));
      }
      return checkSample(nals, sets, order);
    }, refuse);
    if (isIdr === undefined) continue;
    const isListed = track.syncSamples?.includes(index + 1) ?? true;
    if (isIdr !== isListed || (index === 0 && !isIdr)) {
      const text = isIdr ? 'an IDR picture' : 'no IDR picture';
      complain('mp4-sync', sample.offset, `sample ${index + 1} is ${text}, listed: ${isListed}`);
    }
  }
  if (sizes.size !== 1) complain('coded-size', null, `pictures are ${[...sizes].join(' and ')}`);
  return listed[0];
}

function sizeOf({ codedWidth, codedHeight }: Sps): string {
  return `${codedWidth}×${codedHeight}`;
}

function readNals(file: Buffer, sample: Sample, lengthSize: number): NalUnit[] {
  const nals: NalUnit[] = [];
  const end = sample.offset + sample.size;
  for (let at = sample.offset; at < end;) {
    const length = at + lengthSize <= end ? file.readUIntBE(at, lengthSize) : Number.NaN;
    if (!(at + lengthSize + length <= end))
      throw new RangeError('NAL lengths do not fill the sample');
    nals.push(readNalUnit(file.subarray(at + lengthSize, at + lengthSize + length)));
    at += lengthSize + length;
  }
  return nals;
}

/** Whether the sample is an IDR picture; throws RangeError where it is malformed. */
function checkSample(
  nals: readonly NalUnit[],
  sets: ParameterSets,
  order: ReturnType<typeof createOrderCheck>,
): boolean {
  const units = nals.filter((nal) => nal.type === NAL.slice || nal.type === NAL.idr);
  const slices = units.map((nal) => {
    const head = { ...nal, bytes: nal.bytes.subarray(0, SLICE_HEADER_BYTES) };
    return parseSlice(nal, new BitReader(rbspOf(head)), sets);
  });
  const [first] = slices;
  if (first?.firstMb !== 0) throw new RangeError('there is no slice with macroblock 0');
  if (slices.some((slice) => slice.type === SLICE_B)) throw new RangeError('there is a B slice');
  order(first, sets);
  return first.isIdr;
}
