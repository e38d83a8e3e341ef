import { ChalkreelError } from '../../errors.ts';

/** What a sequence parameter set says, as far as a container needs it (ITU-T H.264 §7.3.2.1.1). */
export type SpsInfo = {
  /** seq_parameter_set_id, 0 to 31. */
  readonly id: number;
  /** 66 baseline, 77 main, 100 high. */
  readonly profileIdc: number;
  /** Ten times the level: 31 is level 3.1. */
  readonly levelIdc: number;
  /** Pixels, after cropping. */
  readonly width: number;
  readonly height: number;
};

const PROFILES_WITH_CHROMA = [100, 110, 122, 244, 44, 83, 86, 118, 128];
const CHROMA_420 = 1;

/** Reads an SPS given without start code. Throws `sps-unreadable`. */
export function parseSps(nal: Uint8Array): SpsInfo {
  const bits = new BitReader(nal);
  bits.read(8); // NAL header
  const profileIdc = bits.read(8);
  bits.read(8); // constraint flags
  const levelIdc = bits.read(8);
  const id = bits.readUe();
  if (PROFILES_WITH_CHROMA.includes(profileIdc)) skipChroma(bits);
  bits.readUe(); // log2_max_frame_num_minus4
  skipPictureOrder(bits);
  bits.readUe(); // max_num_ref_frames
  bits.read(1); // gaps_in_frame_num_value_allowed_flag
  const widthInMbs = bits.readUe() + 1;
  const heightInMapUnits = bits.readUe() + 1;
  const frameMbsOnly = bits.read(1);
  if (frameMbsOnly === 0) bits.read(1); // mb_adaptive_frame_field_flag
  bits.read(1); // direct_8x8_inference_flag
  const crop = bits.read(1) === 1 ? [0, 0, 0, 0].map(() => bits.readUe()) : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const fieldFactor = 2 - frameMbsOnly;
  return {
    id,
    profileIdc,
    levelIdc,
    width: widthInMbs * 16 - (left + right) * 2,
    height: heightInMapUnits * 16 * fieldFactor - (top + bottom) * 2 * fieldFactor,
  };
}

/** pic_parameter_set_id of a PPS given without start code (§7.3.2.2). Throws `sps-unreadable`. */
export function parsePpsId(nal: Uint8Array): number {
  const bits = new BitReader(nal);
  bits.read(8);
  return bits.readUe();
}

function skipChroma(bits: BitReader): void {
  if (bits.readUe() !== CHROMA_420) throw unreadable('expected 4:2:0 pictures');
  bits.readUe(); // bit_depth_luma_minus8
  bits.readUe(); // bit_depth_chroma_minus8
  bits.read(1); // qpprime_y_zero_transform_bypass_flag
  if (bits.read(1) === 1) throw unreadable('expected no scaling matrix');
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.readUe();
  if (type === 0) bits.readUe(); // log2_max_pic_order_cnt_lsb_minus4
  if (type !== 1) return;
  bits.read(1); // delta_pic_order_always_zero_flag
  bits.readUe(); // offset_for_non_ref_pic: the length of a signed code is that of an unsigned one
  bits.readUe(); // offset_for_top_to_bottom_field
  const cycle = bits.readUe();
  for (let i = 0; i < cycle; i++) bits.readUe();
}

function unreadable(what: string): ChalkreelError {
  return new ChalkreelError('sps-unreadable', `H.264 parameter set: ${what}.`);
}

/** Bits of a NAL unit, emulation prevention bytes taken out (§7.3.1). */
class BitReader {
  readonly #bytes: number[] = [];
  #at = 0;

  constructor(nal: Uint8Array) {
    let zeros = 0;
    for (const byte of nal) {
      if (zeros >= 2 && byte === 3) {
        zeros = 0;
        continue;
      }
      zeros = byte === 0 ? zeros + 1 : 0;
      this.#bytes.push(byte);
    }
  }

  read(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#bytes[this.#at >> 3];
      if (byte === undefined) throw unreadable(`expected more than ${this.#bytes.length} bytes`);
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1);
      this.#at++;
    }
    return value;
  }

  /** ue(v), §9.1. */
  readUe(): number {
    let zeros = 0;
    while (this.read(1) === 0) zeros++;
    return 2 ** zeros - 1 + this.read(zeros);
  }
}
