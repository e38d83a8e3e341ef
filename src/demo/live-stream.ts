import type { Fragment } from './fragments.ts';
import { FRAGMENT_MS, VIDEO_TIMESCALE } from './camera.ts';

/** Segments kept in memory and named in the playlist: about 8 s, enough for a player that joins or stalls. */
const WINDOW_SEGMENTS = 8;
/** Parts are listed for the newest segments only (RFC 8216bis §6.2.2). */
const SEGMENTS_WITH_PARTS = 3;
/** Longest part, s: a fragment ends at the first frame beyond its length, so one frame more. */
const PART_TARGET_S = FRAGMENT_MS / 1000 + 1 / 15;
/** Distance from the live edge players keep, s: at least three parts (RFC 8216bis §4.4.3.8). */
const HOLD_BACK_S = 3 * PART_TARGET_S;
/** A blocked playlist request is answered after this at the latest. */
const MAX_BLOCK_MS = 3000;

type Segment = {
  readonly msn: number;
  readonly startMs: number;
  parts: Fragment[];
  closed: boolean;
};

/** What a playlist request wants to wait for: a segment number, and a part of it. */
export type BlockUntil = { readonly msn: number; readonly part: number };

/**
 * The sliding window of one camera as low-latency HLS. Each run of the generator is a generation with its own
 * initialisation segment; segment numbers go on across generations. Without a generation the stream is
 * off: no playlist.
 */
export class LiveStream {
  #generation = 0;
  #init: Buffer | undefined;
  #segments: Segment[] = [];
  #nextMsn = 0;
  #isOn = false;
  #waiters = new Set<() => void>();

  /** A generator starts: what an earlier one made is forgotten. */
  begin(): void {
    this.#generation += 1;
    this.#init = undefined;
    this.#segments = [];
    this.#isOn = true;
  }

  /** The generator is gone. */
  end(): void {
    this.#isOn = false;
    this.#wake();
  }

  /** Players refuse a playlist without one whole segment (hls.js: levelEmptyError, tried again only after 1 s). */
  get isPlayable(): boolean {
    return this.#isOn && this.#segments[0]?.closed === true;
  }

  append(init: Buffer, fragment: Fragment, nowMs: number): void {
    this.#init = init;
    const last = this.#segments.at(-1);
    if (fragment.startsWithKey || last === undefined) {
      if (last !== undefined) last.closed = true;
      const startMs = last ? last.startMs + durationMs(last.parts) : nowMs - durationMs([fragment]);
      this.#segments.push({ msn: this.#nextMsn++, startMs, parts: [fragment], closed: false });
      this.#segments.splice(0, Math.max(0, this.#segments.length - WINDOW_SEGMENTS));
    } else {
      last.parts.push(fragment);
    }
    this.#wake();
  }

  /** The playlist, once it holds what `until` names; undefined when the stream is off or nothing came in time. */
  async playlist(until?: BlockUntil): Promise<string | undefined> {
    const deadline = Date.now() + MAX_BLOCK_MS;
    while (this.#isOn && !(this.isPlayable && (until === undefined || this.#holds(until)))) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) return undefined;
      await this.#changed(leftMs);
    }
    return this.isPlayable ? this.#write() : undefined;
  }

  /** A file the playlist names; undefined when it never was or has left the window. */
  find(file: string): Buffer | undefined {
    if (file === `init-${this.#generation}.mp4`) return this.#init;
    const match = /^(\d+)(?:\.(\d+))?\.m4s$/.exec(file);
    if (match === null) return undefined;
    const segment = this.#segments.find(({ msn }) => msn === Number(match[1]));
    if (segment === undefined) return undefined;
    if (match[2] !== undefined) return segment.parts[Number(match[2])]?.data;
    return segment.closed ? Buffer.concat(segment.parts.map(({ data }) => data)) : undefined;
  }

  #holds({ msn, part }: BlockUntil): boolean {
    const last = this.#segments.at(-1);
    if (last === undefined || last.msn > msn) return last !== undefined;
    return last.msn === msn && last.parts.length > part;
  }

  #changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiters.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  #write(): string {
    const [first] = this.#segments;
    const firstWithParts = this.#nextMsn - SEGMENTS_WITH_PARTS;
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:9',
      '#EXT-X-TARGETDURATION:1',
      `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${HOLD_BACK_S.toFixed(3)}`,
      `#EXT-X-PART-INF:PART-TARGET=${PART_TARGET_S.toFixed(5)}`,
      `#EXT-X-MEDIA-SEQUENCE:${first?.msn ?? 0}`,
      `#EXT-X-DISCONTINUITY-SEQUENCE:${this.#generation}`,
      `#EXT-X-MAP:URI="init-${this.#generation}.mp4"`,
    ];
    for (const segment of this.#segments) {
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startMs).toISOString()}`);
      if (segment.msn >= firstWithParts) lines.push(...segment.parts.map(partLine(segment.msn)));
      if (segment.closed) lines.push(`#EXTINF:${seconds(segment.parts)},`, `${segment.msn}.m4s`);
    }
    return `${lines.join('\n')}\n`;
  }
}

const partLine =
  (msn: number) =>
  (part: Fragment, i: number): string =>
    `#EXT-X-PART:DURATION=${seconds([part])},URI="${msn}.${i}.m4s"${part.startsWithKey ? ',INDEPENDENT=YES' : ''}`;

const durationMs = (parts: readonly Fragment[]): number =>
  (parts.reduce((sum, part) => sum + part.videoTicks, 0) * 1000) / VIDEO_TIMESCALE;
const seconds = (parts: readonly Fragment[]): string => (durationMs(parts) / 1000).toFixed(5);
