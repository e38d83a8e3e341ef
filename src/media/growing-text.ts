import { constants, crc32, deflateRawSync } from 'node:zlib';

/** How far back DEFLATE refers (RFC 1951 §2). */
const WINDOW_BYTES = 32 * 1024;
/** Text is compressed for good in pieces of this size; what is younger is compressed again for each answer. */
const SEALED_BYTES = 64 * 1024;
/** ID, deflate, no flags, no time, system unknown (RFC 1952 §2.3). */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** A last block with nothing in it (RFC 1951 §3.2.3). */
const LAST_BLOCK = Buffer.from([3, 0]);

/**
 * A text that only grows at its end, plain and compressed. What has been compressed is kept, so that an answer costs at most 64 KiB of
 * compressing, whatever the text's length. Each piece ends on a byte (Z_SYNC_FLUSH): one after the other they are one stream.
 */
export class GrowingText {
  readonly #plain: Buffer[] = [];
  readonly #deflated: Buffer[] = [];
  #heldBytes = 0;
  #sealedBytes = 0;
  #crc = 0;
  #young = '';

  /** Bytes held in memory, plain and compressed. */
  get heldBytes(): number {
    return this.#heldBytes + this.#young.length;
  }

  append(text: string): void {
    this.#young += text;
    if (this.#young.length < SEALED_BYTES) return;
    const piece = Buffer.from(this.#young);
    const deflated = deflate(piece, this.#plain.at(-1));
    this.#crc = crc32(piece, this.#crc);
    this.#sealedBytes += piece.length;
    this.#heldBytes += piece.length + deflated.length;
    this.#deflated.push(deflated);
    this.#plain.push(piece);
    this.#young = '';
  }

  /** The text and a tail, in pieces in order. */
  plain(tail = ''): Buffer[] {
    return [...this.#plain, Buffer.from(this.#young + tail)];
  }

  /** The same as one gzip stream (RFC 1952). */
  gzip(tail = ''): Buffer[] {
    const last = Buffer.from(this.#young + tail);
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc32(last, this.#crc), 0);
    trailer.writeUInt32LE((this.#sealedBytes + last.length) % 2 ** 32, 4);
    const youngest = deflate(last, this.#plain.at(-1));
    return [GZIP_HEADER, ...this.#deflated, youngest, LAST_BLOCK, trailer];
  }
}

/** Compresses a piece that follows another one, so that it may refer back to it. */
function deflate(piece: Buffer, before: Buffer | undefined): Buffer {
  return deflateRawSync(piece, {
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(before === undefined ? {} : { dictionary: before.subarray(-WINDOW_BYTES) }),
  });
}
