import { AUDIO_SPECIFIC_CONFIG } from '../media/aac.ts';
import { setsBytes } from '../media/avc-sample.ts';
import { parseSps } from '../media/h264-parameter-sets.ts';
import type { ParameterSets } from '../media/h264.ts';
import { AvcParameterSets } from '../media/mp4/avc-parameter-sets.ts';
import { GrowingColumn, GrowingRuns } from '../media/mp4/columns.ts';
import type { Mp4Movie, VideoTrack } from '../media/mp4/movie.ts';
import type { Unit } from '../media/mpegts/segment-source.ts';
import { SILENT_AAC_FRAME } from '../media/silent-aac-frame.ts';
import { AAC_FRAME_SAMPLES, AAC_FRAMES_PER_SEGMENT, SEGMENT_TICKS } from '../model/grid.ts';

/** What a segment holds, as far as the file's tables need to know. */
export type TabledSegment = {
  readonly pictures: readonly Unit[];
  readonly frames: readonly Unit[];
  /** Of its key pictures; undefined when there is only sound. */
  readonly sets: ParameterSets | undefined;
};

/** Silent frames before the first segment's sound: a frame's sound needs the one before it, and players expect it cut off by the edit. */
export const LEAD_FRAMES = 1;

/**
 * The tables of a whole recording's MP4, filled segment by segment: one block each. Where there is a hole, the last picture stays and silence is
 * heard, so that everything keeps its time. Four bytes a sample: 27 MB for 24 h.
 */
export class RecordingMp4Tables {
  readonly #sets = new AvcParameterSets();
  readonly #pictureSizes = new GrowingColumn();
  readonly #durations = new GrowingRuns();
  readonly #keys = new GrowingColumn();
  readonly #frameSizes = new GrowingColumn();
  readonly #blockPictures = new GrowingColumn();
  readonly #blockFrames = new GrowingColumn();
  #size: { width: number; height: number } | undefined;
  /** Ticks from the file's start: of the last picture, and of the next segment. */
  #lastPicture = 0;
  #next = 0;

  /** Adds the next segment. True when its key pictures must carry their parameter sets. */
  addSegment({ pictures, frames, sets }: TabledSegment): boolean {
    const isInBand = sets !== undefined && this.#sets.place(sets);
    const [sps] = sets?.sps ?? [];
    if (sps !== undefined) this.#size ??= parseSps(sps);
    for (const { offset90k, isKey, sampleBytes } of pictures) {
      this.#addPicture(this.#next + offset90k);
      if (isKey) this.#keys.push(this.#pictureSizes.length);
      const extra = isKey && isInBand ? setsBytes(sets) : 0;
      this.#pictureSizes.push(sampleBytes + extra);
    }
    this.#addFrames(frames.slice(0, AAC_FRAMES_PER_SEGMENT).map(({ sampleBytes }) => sampleBytes));
    this.#blockPictures.push(pictures.length);
    this.#next += SEGMENT_TICKS;
    return isInBand;
  }

  /** Adds a segment that is not there. */
  addHole(): void {
    this.#addFrames([]);
    this.#blockPictures.push(0);
    this.#next += SEGMENT_TICKS;
  }

  /** The whole movie; nothing can be added after it. */
  toMovie(createdAtMs: number): Mp4Movie {
    return {
      durationTicks: this.#next,
      createdAtMs,
      video: this.#size === undefined ? undefined : this.#video(this.#size),
      audio: {
        audioSpecificConfig: AUDIO_SPECIFIC_CONFIG,
        channels: 2,
        skipSamples: LEAD_FRAMES * AAC_FRAME_SAMPLES,
        sizes: this.#frameSizes.toColumn(),
      },
      blocks: {
        pictures: this.#blockPictures.toColumn(),
        frames: this.#blockFrames.toColumn(),
      },
    };
  }

  #addPicture(ticks: number): void {
    if (this.#pictureSizes.length > 0) this.#durations.push(ticks - this.#lastPicture);
    // The first picture is shown from the start, as the grid has it.
    this.#lastPicture = this.#pictureSizes.length === 0 ? 0 : ticks;
  }

  #addFrames(sizes: readonly number[]): void {
    const isFirst = this.#blockFrames.length === 0;
    const lead = isFirst ? LEAD_FRAMES : 0;
    for (let i = 0; i < lead; i++) this.#frameSizes.push(SILENT_AAC_FRAME.length);
    for (let i = 0; i < AAC_FRAMES_PER_SEGMENT; i++) {
      this.#frameSizes.push(sizes[i] ?? SILENT_AAC_FRAME.length);
    }
    this.#blockFrames.push(lead + AAC_FRAMES_PER_SEGMENT);
  }

  #video({ width, height }: { width: number; height: number }): VideoTrack {
    this.#durations.push(this.#next - this.#lastPicture);
    return {
      width,
      height,
      description: this.#sets.description,
      sizes: this.#pictureSizes.toColumn(),
      durations: this.#durations.toRuns(),
      keys: this.#keys.toColumn(),
    };
  }
}
