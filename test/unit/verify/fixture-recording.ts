import { buildSegment, planSegment, type SegmentPlan } from './fixture-stream.ts';
import type { Report } from '../../../src/verify/findings.ts';
import type { Context } from '../../../src/verify/options.ts';
import { verifyPlaylist } from '../../../src/verify/verify-playlist.ts';

/** Unix ms, a multiple of 1600. */
export const T0_MS = 1_772_000_000_000;

/** A recording in memory: its playlist, and its segments by URI. */
export type Recording = { playlist: string; segments: Map<string, Buffer> };

/** Lines of one entry of the playlist. */
export function entryLines(n: number, uri: string): string {
  const time = new Date(T0_MS + 1600 * n).toISOString();
  return `#EXT-X-PROGRAM-DATE-TIME:${time}\n#EXTINF:1.6,\n${uri}\n`;
}

/** A conforming recording of three segments; `change` may spoil the plans, or add to them. */
export function buildRecording(
  change: (plans: SegmentPlan[]) => unknown = () => undefined,
  first = 0,
): Recording {
  const plans = [0, 1, 2].map((part) => planSegment(first + part, part));
  change(plans);
  const segments = new Map(plans.map((plan) => [`segment-${plan.n}.ts`, buildSegment(plan)]));
  const entries = plans.map(({ n }) => entryLines(n, `segment-${n}.ts`)).join('');
  const head = '#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:EVENT\n';
  const playlist = `${head}#EXT-X-MEDIA-SEQUENCE:${first}\n${entries}#EXT-X-ENDLIST\n`;
  return { playlist, segments };
}

/** Runs the checker on a recording in memory. */
export async function verifyRecording(
  { playlist, segments }: Recording,
  options: Omit<Context, 'name'> = {},
): Promise<Report> {
  const readObject = (uri: string, range?: { offset: number; length: number }) => {
    const bytes = segments.get(uri);
    if (!bytes) return Promise.reject(new Error(`${uri} is not there`));
    const end = range ? range.offset + range.length : bytes.length;
    return Promise.resolve(bytes.subarray(range?.offset ?? 0, end));
  };
  return verifyPlaylist(playlist, { readObject }, { name: 'index.m3u8', ...options });
}

/** The rules a report names, each once, in order. */
export function rulesOf({ violations }: Report): string[] {
  return [...new Set(violations.map(({ rule }) => rule))].sort();
}
