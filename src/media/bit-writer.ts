/** Writes the bits of a NAL unit's payload (ITU-T H.264 §7.2), to be read back by `BitReader`. */
export class BitWriter {
  readonly #bits: number[] = [];

  /** The `count` lowest bits of a number, at most 32. */
  bits(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit--) this.#bits.push(Math.floor(value / 2 ** bit) % 2);
    return this;
  }

  flag(value: boolean): this {
    return this.bits(value ? 1 : 0, 1);
  }

  /** ue(v), §9.1: an unsigned Exp-Golomb code. */
  ue(value: number): this {
    const length = Math.floor(Math.log2(value + 1));
    return this.bits(0, length).bits(value + 1, length + 1);
  }

  /** se(v), §9.1.1: a signed Exp-Golomb code. */
  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** The bytes behind a NAL header: trailing bits (§7.3.2.11) added, a 3 put into each 0 0 x of x ≤ 3 (§7.4.1). */
  toNal(header: number): Uint8Array {
    this.flag(true);
    while (this.#bits.length % 8 !== 0) this.#bits.push(0);
    const out = [header];
    let zeros = 0;
    for (let at = 0; at < this.#bits.length; at += 8) {
      const byte = this.#bits.slice(at, at + 8).reduce((sum, bit) => 2 * sum + bit, 0);
      if (zeros >= 2 && byte <= 3) {
        out.push(3);
        zeros = 0;
      }
      out.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    return Uint8Array.from(out);
  }
}
