import { AAC_FRAME_SAMPLES, AAC_FRAME_TICKS, SAMPLE_RATE } from '../../model/grid.ts';
import { findAdtsHeader } from '../aac.ts';
import { findPictureType, NAL_TYPE } from '../h264.ts';
import { PID } from './format.ts';
import { invalid } from './invalid.ts';
import { readPackets, type Packet } from './packet-reader.ts';
import { PesAssembler, type Pes } from './pes-reader.ts';
import { readProgramAssociation, readProgramMap, type StreamPids } from './psi-reader.ts';
import { wrap90k } from './timestamps.ts';

/** What is in a segment, in the order of the file. PTS are ticks of 90 kHz modulo 2^33. */
export type SegmentMedia = {
  readonly pictures: readonly ReadPicture[];
  readonly audioFrames: readonly ReadFrame[];
};

export type ReadPicture = {
  readonly pts90k: number;
  /** An IDR picture. */
  readonly isKey: boolean;
  /** The access unit in Annex B, delimiter included. */
  readonly data: Uint8Array;
};

export type ReadFrame = {
  readonly pts90k: number;
  /** A raw AAC-LC frame of 48 kHz stereo, without ADTS header. */
  readonly data: Uint8Array;
};

const AAC_LC = 2;
const STEREO = 2;

/**
 * Reads a segment, or several one after the other, back into pictures and sound. Throws `media-invalid` with the byte offset (also in
 * `details.offset`) at anything that is not a whole stream of H.264 without B pictures and AAC-LC of 48 kHz stereo.
 */
export function readSegment(bytes: Uint8Array): SegmentMedia {
  const stream = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (stream.length === 0) invalid(0, 'a transport stream', 'nothing');
  const pictures: ReadPicture[] = [];
  const audioFrames: ReadFrame[] = [];
  const video = new PesAssembler('video', (pes) => pictures.push(readPicture(pes)));
  const audio = new PesAssembler('audio', (pes) => audioFrames.push(...readFrames(pes)));
  const program = new ProgramReader();
  for (const packet of readPackets(stream)) {
    const kind = program.kindOf(packet);
    if (kind === 'video') video.add(packet);
    if (kind === 'audio') audio.add(packet);
  }
  video.end();
  audio.end();
  if (!program.isKnown) invalid(0, 'PAT and PMT', 'none');
  return { pictures, audioFrames };
}

/** Follows PAT and PMT, and says what a packet carries. */
class ProgramReader {
  #mapPid: number | undefined;
  #pids: StreamPids | undefined;

  get isKnown(): boolean {
    return this.#pids !== undefined;
  }

  kindOf(packet: Packet): 'video' | 'audio' | undefined {
    const { at, pid } = packet;
    if (pid === PID.pat) this.#readAssociation(packet);
    else if (pid === this.#mapPid) this.#readMap(packet);
    else if (this.#pids === undefined) invalid(at, 'PAT and PMT ahead of any stream', `PID ${pid}`);
    else if (pid === this.#pids.video) return 'video';
    else if (pid === this.#pids.audio) return 'audio';
    else invalid(at, 'a PID the PMT names', pid);
    return undefined;
  }

  #readAssociation(packet: Packet): void {
    const pid = readProgramAssociation(packet);
    this.#mapPid ??= pid;
    if (pid !== this.#mapPid) invalid(packet.at, `the PMT on PID ${this.#mapPid}`, pid);
  }

  #readMap(packet: Packet): void {
    const pids = readProgramMap(packet);
    this.#pids ??= pids;
    if (pids.video !== this.#pids.video || pids.audio !== this.#pids.audio) {
      invalid(packet.at, `streams on ${describe(this.#pids)}`, describe(pids));
    }
  }
}

function describe(pids: StreamPids): string {
  return `PIDs ${pids.video ?? 'none'} (video), ${pids.audio ?? 'none'} (audio)`;
}

function readPicture({ at, pts90k, data }: Pes): ReadPicture {
  const type = findPictureType(data);
  if (type !== NAL_TYPE.slice && type !== NAL_TYPE.idrSlice) {
    invalid(at, 'a picture (NAL type 1 or 5)', type ?? 'none');
  }
  return { pts90k, isKey: type === NAL_TYPE.idrSlice, data };
}

/** A PES holds whole ADTS frames; the PTS is the first one's. */
function readFrames({ at, pts90k, data }: Pes): ReadFrame[] {
  const frames: ReadFrame[] = [];
  let from = 0;
  while (from < data.length) {
    const header = findAdtsHeader(data, from);
    if (header === undefined)
      return invalid(at, `an ADTS header ${from} bytes into the PES`, 'none');
    const { audioObjectType, sampleRate, channels, samples } = header;
    const format = `object type ${audioObjectType}, ${sampleRate} Hz, ${channels} channels, ${samples} samples`;
    const wanted = `object type ${AAC_LC}, ${SAMPLE_RATE} Hz, ${STEREO} channels, ${AAC_FRAME_SAMPLES} samples`;
    if (format !== wanted) invalid(at, wanted, format);
    const end = from + header.frameBytes;
    if (end > data.length)
      invalid(at, `an AAC frame of ${header.frameBytes} bytes`, data.length - from);
    const framePts90k = wrap90k(pts90k + frames.length * AAC_FRAME_TICKS);
    frames.push({ pts90k: framePts90k, data: data.subarray(from + header.headerBytes, end) });
    from = end;
  }
  return frames;
}
