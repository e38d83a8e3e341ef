import { inputError } from '../../errors.ts';

/** A store's own folder: not a legal first part of a key. */
export const RESERVED_PART = '.tmp';

/** S3's limit, so that a key good here is good there. */
const MAX_KEY_BYTES = 1024;

/** Throws `invalid-object-key` unless the key is a relative path of plain parts, so that none can leave the store. */
export function assertObjectKey(key: string): void {
  const parts = key.split('/');
  const isGood =
    Buffer.byteLength(key) <= MAX_KEY_BYTES &&
    parts[0] !== RESERVED_PART &&
    parts.every((part) => /^[^\0\\]+$/.test(part) && part !== '.' && part !== '..');
  if (isGood) return;
  throw inputError(
    'key',
    `Expected an object key of parts separated by "/", without empty, "." or ".." parts, got ${JSON.stringify(key)}`,
    'invalid-object-key',
  );
}
