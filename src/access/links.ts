import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** What a signed link lets its holder do, and until when. */
export type Link = {
  readonly kind: 'recording' | 'highlight';
  readonly id: string;
  readonly rights: readonly LinkRight[];
  /** Unix ms. */
  readonly expiresAtMs: number;
};
/** `play`: see its title and state, play its media. */
export type LinkRight = 'play';

/** The token's payload: short names, since it is part of every URL of a playlist. */
const payloadSchema = z
  .object({
    k: z.enum(['recording', 'highlight']),
    i: z.string(),
    r: z.array(z.enum(['play'])),
    e: z.number().int(),
  })
  .transform(({ k, i, r, e }): Link => ({ kind: k, id: i, rights: r, expiresAtMs: e }));

/** A token that fits into a URL's path: payload and HMAC-SHA256, signed with the newest secret (the first). */
export function signLink(link: Link, secrets: readonly string[]): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('Expected a secret to sign links with');
  const { kind: k, id: i, rights: r, expiresAtMs: e } = link;
  const payload = Buffer.from(JSON.stringify({ k, i, r, e })).toString('base64url');
  return `${payload}.${mac(payload, secret).toString('base64url')}`;
}

/** The link that a token carries; undefined when it was not signed by one of the secrets, or has expired. */
export function verifyLink(
  token: string,
  secrets: readonly string[],
  nowMs: number,
): Link | undefined {
  const [payload, signature, ...rest] = token.split('.');
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined;
  if (!secrets.some((secret) => isSignature(signature, mac(payload, secret)))) return undefined;
  const link = payloadSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  return link.expiresAtMs > nowMs ? link : undefined;
}

function isSignature(given: string, expected: Buffer): boolean {
  const bytes = Buffer.from(given, 'base64url');
  // The text itself is compared as well: base64url has several spellings of the same bytes.
  return (
    bytes.length === expected.length &&
    timingSafeEqual(bytes, expected) &&
    given === expected.toString('base64url')
  );
}

function mac(payload: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(payload).digest();
}
