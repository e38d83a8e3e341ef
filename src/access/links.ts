import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/**
 * `play`: see its title and state, play its media. `download`: have the clip as a file. `favourite`: keep clips among the viewer's
 * favourites. `trigger`: save moments of a recording and name them.
 */
export const LINK_RIGHTS = ['play', 'download', 'favourite', 'trigger'] as const;
export type LinkRight = (typeof LINK_RIGHTS)[number];

/** What a signed link lets its holder do, and until when. A recording's link is good for that recording's highlights too. */
export type Link = {
  readonly kind: 'recording' | 'highlight';
  readonly id: string;
  readonly rights: readonly LinkRight[];
  /** The platform's own id of the person it was made for; null when it is for anybody. */
  readonly viewerId: string | null;
  /** The record by which it can be revoked; null for a link that only expires. */
  readonly shareId: string | null;
  /** Unix ms. */
  readonly expiresAtMs: number;
};

/** What a token turned out to be. `wrong`: not signed by any of the secrets, or not a token at all. */
export type LinkReading =
  | { readonly state: 'good'; readonly link: Link }
  | { readonly state: 'expired'; readonly link: Link }
  | { readonly state: 'wrong' };

const KIND_LETTERS = { recording: 'r', highlight: 'h' } as const;
const RIGHT_LETTERS = { play: 'p', download: 'd', favourite: 'f', trigger: 't' } as const;

/** Kind and rights as letters, id, expiry, viewer, share: short, since it is part of every URL of a playlist. */
const payloadSchema = z.tuple([
  z.string().regex(/^[rh][pdft]*$/),
  z.string(),
  z.number().int(),
  z.string().nullable(),
  z.string().nullable(),
]);

/** A token that fits into a URL's path: payload and its HMAC-SHA256, signed with the newest secret (the first). */
export function signLink(link: Link, secrets: readonly string[]): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('Expected a secret to sign links with');
  const rights = LINK_RIGHTS.filter((right) => link.rights.includes(right));
  const letters = KIND_LETTERS[link.kind] + rights.map((right) => RIGHT_LETTERS[right]).join('');
  const fields = [letters, link.id, link.expiresAtMs, link.viewerId, link.shareId];
  const payload = Buffer.from(JSON.stringify(fields)).toString('base64url');
  return `${payload}.${mac(payload, secret).toString('base64url')}`;
}

/** Reads a token; every secret is tried, in time that does not tell how much of a signature was right. Never throws. */
export function readLink(token: string, secrets: readonly string[], nowMs: number): LinkReading {
  const [payload, signature, ...rest] = token.split('.');
  if (payload === undefined || signature === undefined || rest.length > 0) {
    return { state: 'wrong' };
  }
  if (!secrets.some((secret) => isSignature(signature, mac(payload, secret)))) {
    return { state: 'wrong' };
  }
  const link = readPayload(payload);
  if (link === undefined) return { state: 'wrong' };
  return { state: link.expiresAtMs > nowMs ? 'good' : 'expired', link };
}

/** Undefined for a payload of another version: it was signed by us, but says nothing we know. */
function readPayload(payload: string): Link | undefined {
  const parsed = payloadSchema.safeParse(parseJson(Buffer.from(payload, 'base64url').toString()));
  if (!parsed.success) return undefined;
  const [letters, id, expiresAtMs, viewerId, shareId] = parsed.data;
  return {
    kind: letters.startsWith('r') ? 'recording' : 'highlight',
    id,
    rights: LINK_RIGHTS.filter((right) => letters.includes(RIGHT_LETTERS[right], 1)),
    viewerId,
    shareId,
    expiresAtMs,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
