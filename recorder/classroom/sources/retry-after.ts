/** The longest pause that a server is granted: its guess would keep a stream away that is back. */
export const MAX_RETRY_AFTER_MS = 5000;

/** Retry-After, seconds or a date (RFC 9110 §10.2.3), as a pause in ms; undefined where it says neither. */
export function parseRetryAfter(text: string | null, nowMs: number): number | undefined {
  if (text === null || text.trim() === '') return undefined;
  const seconds = Number(text);
  const ms = Number.isNaN(seconds) ? Date.parse(text) - nowMs : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}
