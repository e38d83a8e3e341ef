import { AUDIO_SPECIFIC_CONFIG } from '../src/media/aac.ts';
import { toAvcSample } from '../src/media/avc-sample.ts';
import { parseSps } from '../src/media/h264-parameter-sets.ts';
import { findParameterSets } from '../src/media/h264.ts';
import { AvcParameterSets } from '../src/media/mp4/avc-parameter-sets.ts';
import { toBuffer } from '../src/media/mp4/box.ts';
import { runsOf } from '../src/media/mp4/columns.ts';
import type { Mp4Movie, VideoTrack } from '../src/media/mp4/movie.ts';
import { layOutMp4 } from '../src/media/mp4/writer.ts';
import { SILENT_AAC_FRAME } from '../src/media/silent-aac-frame.ts';
import type { ClipBlock } from './clip-blocks.ts';
import type { ClipFile } from './clip-file.ts';
import type { ClipHead } from './clip-head.ts';
import type { ClipSources } from './clip-segment.ts';
import type { CutPlan, PictureRef } from './cut-plan.ts';

/** Media of a block to be copied, on its way from the store. */
export type BlockMedia = Awaited<ReturnType<ClipSources['read']>>;

/** The references of a block that are copied. */
export function copiedRefs({ pictures, reencoded, frames }: ClipBlock): {
  readonly pictures: readonly PictureRef[];
  readonly frames: readonly PictureRef[];
} {
  return {
    pictures: pictures.slice(reencoded),
    frames: frames.filter((frame) => frame !== 'silence'),
  };
}

/** Writes blocks into a clip's file and keeps their tables, which become its header. */
export class ClipWriter {
  readonly file: ClipFile;
  readonly blocks: ClipBlock[] = [];
  readonly #sets = new AvcParameterSets();
  readonly #pictureSizes: number[] = [];
  readonly #frameSizes: number[] = [];
  readonly #keys: number[] = [];

  constructor(file: ClipFile) {
    this.file = file;
  }

  /** Appends the next block: its head's pictures first, then what is copied. */
  async append(block: ClipBlock, media: BlockMedia, head: ClipHead | undefined): Promise<void> {
    const samples = [...this.#pictures(block, media, head), ...this.#frames(block, media)];
    await this.file.append(Buffer.concat(samples));
    this.blocks.push(block);
  }

  /** Writes the header of the whole plan, whose blocks have been appended, and closes the file. */
  async finish(plan: CutPlan, createdAtMs: number, headerBytes: number): Promise<void> {
    const movie = this.#movie(plan, createdAtMs);
    await this.file.finish(toBuffer(layOutMp4(movie, { headerBytes }).header));
  }

  #pictures(block: ClipBlock, media: BlockMedia, head: ClipHead | undefined): Uint8Array[] {
    const done = this.#pictureSizes.length;
    const encoded = head?.samples.slice(done, done + block.reencoded) ?? [];
    if (done === 0 && head !== undefined) this.#sets.place(head.sets);
    const copied = block.pictures.slice(block.reencoded).map((picture) => {
      const unit = media.picture(picture);
      const withSets = picture.isKey && this.#sets.place(findParameterSets(unit));
      return { data: toAvcSample(unit, { withSets }), isKey: picture.isKey };
    });
    return [...encoded, ...copied].map(({ data, isKey }) => {
      if (isKey) this.#keys.push(this.#pictureSizes.length);
      this.#pictureSizes.push(data.length);
      return data;
    });
  }

  #frames({ frames }: ClipBlock, media: BlockMedia): Uint8Array[] {
    return frames.map((frame) => {
      const data = frame === 'silence' ? SILENT_AAC_FRAME : media.frame(frame);
      this.#frameSizes.push(data.length);
      return data;
    });
  }

  #movie(plan: CutPlan, createdAtMs: number): Mp4Movie {
    return {
      durationTicks: plan.durationTicks,
      createdAtMs,
      video: this.#pictureSizes.length === 0 ? undefined : this.#video(plan),
      audio: {
        audioSpecificConfig: AUDIO_SPECIFIC_CONFIG,
        channels: 2,
        skipSamples: plan.audio.skipSamples,
        sizes: this.#frameSizes,
      },
      blocks: {
        pictures: this.blocks.map(({ pictures }) => pictures.length),
        frames: this.blocks.map(({ frames }) => frames.length),
      },
    };
  }

  #video(plan: CutPlan): VideoTrack {
    const { description } = this.#sets;
    const { width, height } = parseSps(description.sps[0] ?? new Uint8Array());
    const shown = [...(plan.head?.pictures ?? []), ...plan.body];
    return {
      width,
      height,
      description,
      sizes: this.#pictureSizes,
      durations: runsOf(shown.map(({ duration90k }) => duration90k)),
      keys: this.#keys,
    };
  }
}
