import { ChalkreelError } from '../../errors.ts';

/** Throws `media-invalid` with the byte offset, in the stream, of what is wrong. */
export function invalid(offset: number, expected: string, got: string | number): never {
  throw new ChalkreelError(
    'media-invalid',
    `Transport stream, byte ${offset}: expected ${expected}, got ${got}.`,
    { details: { offset } },
  );
}
