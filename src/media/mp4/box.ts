/** Fields of a box, in file order: bytes as they are, or boxes within. */
export type BoxPart = Uint8Array;

/** Largest value of a 32-bit field. */
export const UINT32_MAX = 0xffff_ffff;

/** A box: 32-bit size, four-character type, content (ISO/IEC 14496-12 §4.2). */
export function box(type: string, ...parts: readonly BoxPart[]): Buffer {
  const size = parts.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(size), Buffer.from(type, 'latin1'), ...parts], size);
}

/** A box with version and flags (ISO/IEC 14496-12 §4.2). */
export function fullBox(
  type: string,
  { version = 0, flags = 0 }: { version?: number; flags?: number },
  ...parts: readonly BoxPart[]
): Buffer {
  return box(type, u32(((version << 24) | flags) >>> 0), ...parts);
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
  return u32List(values);
}

/** As `u32`, for tables: a long lesson has more samples than a call takes arguments. */
export function u32List(values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  for (let i = 0; i < values.length; i++) bytes.writeUInt32BE(values[i] ?? 0, i * 4);
  return bytes;
}

export function u64(...values: readonly number[]): Buffer {
  return u64List(values);
}

export function u64List(values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 8);
  for (let i = 0; i < values.length; i++) bytes.writeBigUInt64BE(BigInt(values[i] ?? 0), i * 8);
  return bytes;
}

/** A time or duration: 64 bits in version 1 of a box, else 32. */
export function timeField(version: number, ...values: readonly number[]): Buffer {
  return version === 1 ? u64(...values) : u32(...values);
}

export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'utf8');
}
