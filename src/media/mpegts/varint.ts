/** Whole numbers from 0 to 2^53 − 1, seven bits a byte, the least first; the top bit says that more follow (LEB128). */
export function writeVarints(numbers: readonly number[]): Buffer {
  const bytes: number[] = [];
  for (const number of numbers) {
    let rest = number;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
    bytes.push(rest);
  }
  return Buffer.from(bytes);
}

/** Reads them back, all or so many, with the bytes they took; undefined when the last is cut off. */
export function readVarints(
  bytes: Uint8Array,
  count = Infinity,
): { readonly numbers: readonly number[]; readonly bytes: number } | undefined {
  const numbers: number[] = [];
  let at = 0;
  while (at < bytes.length && numbers.length < count) {
    let number = 0;
    for (let weight = 1; ; weight *= 0x80) {
      const byte = bytes[at++];
      if (byte === undefined || !Number.isSafeInteger(weight)) return undefined;
      number += (byte % 0x80) * weight;
      if (byte < 0x80) break;
    }
    numbers.push(number);
  }
  return { numbers, bytes: at };
}
