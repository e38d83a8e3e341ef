/** 3 725 000 ms as `1:02:05`. */
export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** 35 000 ms as `35 s`, 65 000 ms as `1 min 5 s`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const rest = seconds % 60;
  return `${Math.floor(seconds / 60)} min${rest === 0 ? '' : ` ${rest} s`}`;
}

/** A Unix time as people here write it. */
export function dateText(ms: number): string {
  return new Date(ms).toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'short' });
}

/** 73 400 320 bytes as `70 MB`. */
export function bytesText(bytes: number): string {
  const megabytes = bytes / 1024 / 1024;
  return megabytes < 10
    ? `${Math.max(0.1, megabytes).toFixed(1)} MB`
    : `${Math.round(megabytes)} MB`;
}

/** Shown where a highlight has no title. */
export const UNTITLED = 'Saved moment';
