/** Reads the bits of a NAL unit (ITU-T H.264 §7.3.1), emulation prevention bytes taken out. Throws RangeError at the end. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(nal: Uint8Array) {
    this.#bytes = withoutEmulationPrevention(nal);
  }

  /** The next `count` bits, at most 32, as an unsigned number. */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++) {
      const byte = this.#bytes[this.#at >> 3];
      if (byte === undefined) throw new RangeError(`${this.#bytes.length} bytes are all there is`);
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1);
      this.#at += 1;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** ue(v), §9.1: an unsigned Exp-Golomb code. */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) zeros += 1;
    if (zeros > 32) throw new RangeError('an Exp-Golomb code has at most 32 leading zeros');
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v), §9.1.1: a signed Exp-Golomb code. */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : 0 - code / 2;
  }
}

/** A NAL unit's bytes without the 3 in each 0 0 3 (ITU-T H.264 §7.4.1). */
function withoutEmulationPrevention(nal: Uint8Array): Uint8Array {
  const out = new Uint8Array(nal.length);
  let length = 0;
  let zeros = 0;
  for (const byte of nal) {
    const isPrevention = zeros >= 2 && byte === 3;
    if (!isPrevention) out[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, length);
}
