import { GrowingText } from './growing-text.ts';
import {
  END_LINE,
  LEAST_KEPT_BY_SKIP,
  writeEntry,
  writeHeader,
  writeSkip,
  type PlaylistOptions,
  type PlaylistSegment,
} from './playlist.ts';

/** Entries in the live window: 48 s, four times what a delta update keeps. */
export const LIVE_WINDOW_ENTRIES = 30;

export type PlaylistForm = {
  /** `whole`: every entry; `window`: the last ones, which is what a player near the live edge needs. */
  readonly extent: 'whole' | 'window';
  /** A delta update (draft-pantos-hls-rfc8216bis §6.2.5.1): what players that have the rest ask for. */
  readonly isDelta: boolean;
  /** Nothing will be appended. */
  readonly ended: boolean;
};

/** A playlist's bytes, in pieces in order. */
export type PlaylistBytes = { readonly pieces: readonly Buffer[]; readonly isGzip: boolean };

/**
 * A playlist that entries are appended to, in any form players ask for. Each entry is written once; an answer costs no more for a
 * class of 24 h than for one that has just begun.
 */
export class GrowingPlaylist {
  readonly #type: 'EVENT' | 'VOD';
  readonly #mediaSequence: number;
  readonly #whole = new GrowingText();
  /** The last entries, oldest first; at most a window of them. */
  readonly #recent: { readonly text: string; readonly isDiscontinuous: boolean }[] = [];
  #entries = 0;
  #discontinuities = 0;

  constructor(
    options: Pick<PlaylistOptions, 'mediaSequence'> & { readonly type: 'EVENT' | 'VOD' },
  ) {
    this.#type = options.type;
    this.#mediaSequence = options.mediaSequence;
    this.#whole.append(this.#header('whole'));
  }

  get entries(): number {
    return this.#entries;
  }

  /** Bytes held in memory, about. */
  get heldBytes(): number {
    return this.#whole.heldBytes;
  }

  append(segments: readonly PlaylistSegment[]): void {
    for (const segment of segments) {
      const text = writeEntry(segment);
      const isDiscontinuous = segment.discontinuity ?? false;
      this.#whole.append(text);
      this.#recent.push({ text, isDiscontinuous });
      if (this.#recent.length > LIVE_WINDOW_ENTRIES) this.#recent.shift();
      this.#entries += 1;
      this.#discontinuities += Number(isDiscontinuous);
    }
  }

  /** The playlist in a form; the whole is had compressed at no cost, the other forms are short. */
  write({ extent, isDelta, ended }: PlaylistForm, options: { gzip?: boolean } = {}): PlaylistBytes {
    const tail = ended ? END_LINE : '';
    const listed = extent === 'whole' ? this.#entries : this.#recent.length;
    const skipped = isDelta ? Math.max(0, listed - LEAST_KEPT_BY_SKIP) : 0;
    if (extent === 'whole' && skipped === 0) {
      if (options.gzip) return { pieces: this.#whole.gzip(tail), isGzip: true };
      return { pieces: this.#whole.plain(tail), isGzip: false };
    }
    const kept = this.#recent.slice(-(listed - skipped)).map(({ text }) => text);
    const skip = skipped === 0 ? '' : writeSkip(skipped);
    const text = `${this.#header(extent)}${skip}${kept.join('')}${tail}`;
    return { pieces: [Buffer.from(text)], isGzip: false };
  }

  /** Of what a window has lost, number and discontinuities go on in its header (§4.4.3.2, §4.4.3.3). */
  #header(extent: PlaylistForm['extent']): string {
    const isWhole = extent === 'whole';
    const listed = this.#recent.filter(({ isDiscontinuous }) => isDiscontinuous).length;
    return writeHeader({
      type: isWhole ? this.#type : 'LIVE',
      mediaSequence: this.#mediaSequence + (isWhole ? 0 : this.#entries - this.#recent.length),
      discontinuitySequence: isWhole ? 0 : this.#discontinuities - listed,
      ended: false,
      canSkip: this.#type === 'EVENT',
      segments: [],
    });
  }
}
