import { hash, timingSafeEqual } from 'node:crypto';

/** Whether an Authorization header carries one of the keys as bearer token; takes the same time for any wrong key. */
export function hasApiKey(authorization: string | undefined, keys: readonly string[]): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) return false;
  const asked = digest(given);
  let isKnown = false;
  for (const key of keys) isKnown = timingSafeEqual(asked, digest(key)) || isKnown;
  return isKnown;
}

/** Digests are of equal length, which the comparison needs. */
function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
