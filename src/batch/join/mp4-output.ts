import { AUDIO_SPECIFIC_CONFIG } from '../../media/aac.ts';
import { lengthOf } from '../../media/mp4/box.ts';
import { GrowingColumn, GrowingRuns } from '../../media/mp4/columns.ts';
import type { Mp4Movie, VideoTrack } from '../../media/mp4/movie.ts';
import { readHeader } from '../../media/mp4/read-header.ts';
import { layOutMp4 } from '../../media/mp4/writer.ts';
import { AAC_FRAME_SAMPLES, AAC_FRAMES_PER_SEGMENT, SEGMENT_TICKS } from '../../model/grid.ts';
import type { JoinBlock, OutputWriter } from './join-block.ts';
import type { JoinPictures, JoinPlan } from './join-plan.ts';
import { OutFile, type JoinedFile } from './out-file.ts';
import { LEAD_FRAMES, type Sound } from './sound.ts';

/** One fast-start MP4. Where there is a hole the last picture stays, silent, as in a recording's own. */
export class Mp4Output implements OutputWriter {
  readonly #file: OutFile;
  readonly #lead: Uint8Array;

  private constructor(file: OutFile, lead: Uint8Array) {
    this.#file = file;
    this.#lead = lead;
  }

  /** Writes the header: everything is known but the bytes. */
  static async open(
    plan: JoinPlan,
    options: { readonly sound: Sound; readonly createdAtMs: number; readonly folder: string },
  ): Promise<Mp4Output> {
    const file = await OutFile.create(options.folder, 'recording.mp4');
    try {
      const { header } = layOutMp4(toMovie(plan, options));
      const all = { start: 0, end: lengthOf(header) };
      for (const piece of readHeader(header, all)) await file.append(piece);
      return new Mp4Output(file, options.sound.lead);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async append({ index, pictures, frames }: JoinBlock): Promise<void> {
    const lead = index === 0 ? [this.#lead] : [];
    await this.#file.append(
      Buffer.concat([...pictures.map(({ data }) => data), ...lead, ...frames]),
    );
  }

  async finish(): Promise<readonly JoinedFile[]> {
    return [await this.#file.finish()];
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function toMovie(
  { pictures, grid }: JoinPlan,
  { sound, createdAtMs }: { readonly sound: Sound; readonly createdAtMs: number },
): Mp4Movie {
  const durationTicks = grid.length * SEGMENT_TICKS;
  const counts = new Uint32Array(grid.length);
  for (const at of pictures?.decodeAt ?? []) {
    const block = Math.floor(at / SEGMENT_TICKS);
    counts[block] = (counts[block] ?? 0) + 1;
  }
  return {
    durationTicks,
    createdAtMs,
    video: pictures === null ? undefined : toTrack(pictures, durationTicks),
    audio: {
      audioSpecificConfig: AUDIO_SPECIFIC_CONFIG,
      channels: 2,
      skipSamples: LEAD_FRAMES * AAC_FRAME_SAMPLES,
      sizes: sound.sizes,
    },
    blocks: {
      pictures: counts,
      frames: Uint32Array.from(
        grid,
        (_, i) => AAC_FRAMES_PER_SEGMENT + (i === 0 ? LEAD_FRAMES : 0),
      ),
    },
  };
}

function toTrack(pictures: JoinPictures, durationTicks: number): VideoTrack {
  const { track, bytes, pts, decodeAt, isKey, delay } = pictures;
  const sizes = new GrowingColumn();
  const keys = new GrowingColumn();
  const durations = new GrowingRuns();
  const offsets = new GrowingRuns();
  for (const [i, at] of decodeAt.entries()) {
    sizes.push(bytes[i] ?? 0);
    durations.push((decodeAt[i + 1] ?? durationTicks) - at);
    offsets.push((pts[i] ?? 0) - at + delay);
    if (isKey[i] === true) keys.push(i);
  }
  return {
    ...{ width: track.width, height: track.height },
    description: { format: track.format, config: track.config },
    sizes: sizes.toColumn(),
    durations: durations.toRuns(),
    compositionOffsets: delay === 0 ? undefined : offsets.toRuns(),
    startTicks: delay,
    keys: keys.toColumn(),
  };
}
