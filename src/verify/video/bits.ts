/** Reads an RBSP bit by bit (ISO/IEC 14496-10 §7.2, §9.1); throws RangeError past its end. */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #endBit: number;
  #bit = 0;

  /** Takes the payload of a NAL unit, emulation prevention removed, and finds its stop bit. */
  constructor(rbsp: Uint8Array) {
    this.#bytes = rbsp;
    let last = rbsp.length - 1;
    while (last >= 0 && rbsp[last] === 0) last -= 1;
    const byte = rbsp[last] ?? 0;
    this.#endBit = byte === 0 ? 0 : last * 8 + 7 - Math.log2(byte & -byte);
  }

  /** Whether there is data before the stop bit. */
  get hasMore(): boolean {
    return this.#bit < this.#endBit;
  }

  /** Bits read so far. */
  get position(): number {
    return this.#bit;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** u(n), up to 32 bits. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i += 1) {
      if (this.#bit >= this.#endBit) throw new RangeError('data ends too early');
      const byte = this.#bytes[this.#bit >> 3] ?? 0;
      value = value * 2 + ((byte >> (7 - (this.#bit & 7))) & 1);
      this.#bit += 1;
    }
    return value;
  }

  /** ue(v). */
  unsigned(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (zeros > 31) throw new RangeError('an Exp-Golomb code is too long');
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v). */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 0 ? -code / 2 : (code + 1) / 2;
  }

  /** ue(v) that must not be above `limit`. */
  unsignedUpTo(limit: number, name: string): number {
    const value = this.unsigned();
    if (value > limit) throw new RangeError(`${name} is ${value}, at most ${limit} is allowed`);
    return value;
  }

  /** se(v) that must be within ±`limit`. */
  signedWithin(limit: number, name: string): number {
    const value = this.signed();
    if (Math.abs(value) > limit) throw new RangeError(`${name} is ${value}, beyond ±${limit}`);
    return value;
  }
}
