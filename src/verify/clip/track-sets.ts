import { BitReader } from '../video/bits.ts';
import { NAL, rbspOf, readNalUnit, type NalUnit } from '../video/nal.ts';
import { parsePps, type Pps } from '../video/pps.ts';
import { parseSps, type Sps } from '../video/sps.ts';

/** The parameter sets of an avc1 track that count at a moment: those its entry lists, then those its samples bring. */
export class TrackSets {
  readonly sps = new Map<number, Sps>();
  readonly pps = new Map<number, Pps>();
  readonly #raw = new Map<string, string>();
  #hasCollided = false;

  /** Reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1); throws RangeError. */
  static parse(avcC: Buffer): TrackSets {
    const sets = new TrackSets();
    let at = 6;
    const take = (): void => {
      const length = avcC.readUInt16BE(at);
      sets.#take(readNalUnit(avcC.subarray(at + 2, at + 2 + length)));
      at += 2 + length;
    };
    for (let count = avcC.readUInt8(5) & 0x1f; count > 0; count -= 1) take();
    at += 1;
    for (let count = avcC.readUInt8(at - 1); count > 0; count -= 1) take();
    return sets;
  }

  /**
   * Takes the sets that a sample brings; returns its SPS. Strictly avc1 allows none; here they may come from where one of them takes the id
   * of another one, since no list can hold both. Throws RangeError before.
   */
  takeFrom(nals: readonly NalUnit[]): Sps[] {
    const brought = nals.filter(({ type }) => type === NAL.sps || type === NAL.pps);
    if (brought.length === 0) return [];
    this.#hasCollided ||= brought.some((nal) => this.#collides(nal));
    if (!this.#hasCollided) throw new RangeError('avc1 does not allow parameter sets in samples');
    return brought.flatMap((nal) => this.#take(nal) ?? []);
  }

  #collides(nal: NalUnit): boolean {
    const known = this.#raw.get(keyOf(nal));
    return known !== undefined && known !== textOf(nal);
  }

  #take(nal: NalUnit): Sps | undefined {
    this.#raw.set(keyOf(nal), textOf(nal));
    const bits = new BitReader(rbspOf(nal));
    if (nal.type === NAL.sps) {
      const sps = parseSps(bits);
      this.sps.set(sps.id, sps);
      return sps;
    }
    const pps = parsePps(bits);
    this.pps.set(pps.id, pps);
    return undefined;
  }
}

function keyOf(nal: NalUnit): string {
  const bits = new BitReader(rbspOf(nal));
  const { id } = nal.type === NAL.sps ? parseSps(bits) : parsePps(bits);
  return `${nal.type} ${id}`;
}

function textOf({ bytes }: NalUnit): string {
  return Buffer.from(bytes).toString('hex');
}
