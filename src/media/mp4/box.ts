/** Bytes that need not be in memory: a table of a long movie, written out as far as it is asked for. */
export type Table = {
  /** Bytes. */
  readonly length: number;
  /** From byte `start` to before `end`. */
  write(start: number, end: number): Uint8Array;
};

/** A run of a file's bytes. */
export type Piece = Uint8Array | Table;

/** Fields of a box, in file order: bytes as they are, or boxes within. */
export type BoxPart = Piece | readonly Piece[];

/** Largest value of a 32-bit field. */
export const UINT32_MAX = 0xffff_ffff;

const HEADER_BYTES = 8;

/** A box: 32-bit size, four-character type, content (ISO/IEC 14496-12 §4.2). */
export function box(type: string, ...parts: readonly BoxPart[]): readonly Piece[] {
  const content = parts.flatMap((part) => (isList(part) ? part : [part]));
  const size = HEADER_BYTES + lengthOf(content);
  return [Buffer.concat([u32(size), Buffer.from(type, 'latin1')]), ...content];
}

/** A box with version and flags (ISO/IEC 14496-12 §4.2). */
export function fullBox(
  type: string,
  { version = 0, flags = 0 }: { version?: number; flags?: number },
  ...parts: readonly BoxPart[]
): readonly Piece[] {
  return box(type, u32(((version << 24) | flags) >>> 0), ...parts);
}

/** Bytes of all pieces. */
export function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** All pieces in one, for what is small. */
export function toBuffer(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) => (isTable(piece) ? piece.write(0, piece.length) : piece)),
  );
}

export function isTable(piece: Piece): piece is Table {
  return !(piece instanceof Uint8Array);
}

export function u8(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

export function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16BE(value, i * 2));
  return bytes;
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32BE(value, i * 4));
  return bytes;
}

/** So many 32-bit numbers, each asked for when it is written. */
export function u32Table(count: number, valueAt: (index: number) => number): Table {
  return table({ count, width: 4 }, (bytes, at, index) => {
    bytes.writeUInt32BE(valueAt(index), at);
  });
}

/** As `u32Table`, in 64 bits. */
export function u64Table(count: number, valueAt: (index: number) => number): Table {
  return table({ count, width: 8 }, (bytes, at, index) => {
    bytes.writeBigUInt64BE(BigInt(valueAt(index)), at);
  });
}

/** A time or duration: 64 bits in version 1 of a box, else 32. */
export function timeField(version: number, ...values: readonly number[]): Buffer {
  if (version !== 1) return u32(...values);
  return Buffer.from(u64Table(values.length, (i) => values[i] ?? 0).write(0, 8 * values.length));
}

export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'utf8');
}

function table(
  { count, width }: { readonly count: number; readonly width: number },
  writeOne: (bytes: Buffer, at: number, index: number) => void,
): Table {
  return {
    length: count * width,
    write: (start, end) => {
      const first = Math.floor(start / width);
      const last = Math.ceil(end / width);
      const bytes = Buffer.allocUnsafe((last - first) * width);
      for (let index = first; index < last; index++) {
        writeOne(bytes, (index - first) * width, index);
      }
      return bytes.subarray(start - first * width, end - first * width);
    },
  };
}

function isList(part: BoxPart): part is readonly Piece[] {
  return Array.isArray(part);
}
