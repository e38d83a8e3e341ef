import type { Highlight } from '../model/highlight.ts';

/** What no file system takes, and what would hide a file or turn its name around: control and format characters, lone surrogates. */
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}/\\:*?"<>|]+/gu;
/** File systems take 255 bytes; a character has up to four. */
const MAX_TITLE_CHARACTERS = 50;

/** The name a clip is saved under: its title and the date of its moment (UTC). */
export function clipFileName({
  title,
  triggeredAtMs,
}: Pick<Highlight, 'title' | 'triggeredAtMs'>): string {
  const fit = (title ?? '').replace(UNFIT, ' ').replace(/\s+/g, ' ').trim().replace(/^\.+/, '');
  const short = Array.from(fit).slice(0, MAX_TITLE_CHARACTERS).join('').trim();
  const date = new Date(triggeredAtMs).toISOString().slice(0, 'yyyy-mm-dd'.length);
  return `${short === '' ? 'Highlight' : short} ${date}.mp4`;
}
