import { AUDIO_SPECIFIC_CONFIG } from '../../media/aac.ts';
import { AAC_LC_CODEC, codecString } from '../../media/codec-string.ts';
import { fragmentHeader, initSegment, type FragmentSample } from '../../media/mp4/fragments.ts';
import type { FragmentedTrack } from '../../media/mp4/header.ts';
import { writeMultivariantPlaylist } from '../../media/playlist.ts';
import { AAC_FRAME_SAMPLES, SAMPLES_PER_SEGMENT, SEGMENT_TICKS } from '../../model/grid.ts';
import { HlsLines } from './hls-lines.ts';
import { HlsGrouper, type JoinBlock, type OutputWriter } from './join-block.ts';
import type { JoinPlan } from './join-plan.ts';
import { OutFile, type JoinedFile } from './out-file.ts';

type Options = { readonly createdAtMs: number; readonly folder: string };

/**
 * HLS of CMAF: a track of pictures and one of sound, each one file whose segments are byte ranges, and a playlist that names both. Where there is a
 * hole there is an `EXT-X-GAP`. Pictures are shown later than they are decoded: an edit takes the delay away (ISO/IEC 23000-19 §7.5.13), since ffmpeg moves
 * pictures with negative offsets, and hls.js begins its time line with the first decoding time.
 */
export class CmafOutput implements OutputWriter {
  readonly #options: Options;
  readonly #plan: JoinPlan;
  readonly #tracks: readonly TrackFile[];
  readonly #grouper = new HlsGrouper();

  private constructor(plan: JoinPlan, tracks: readonly TrackFile[], options: Options) {
    this.#plan = plan;
    this.#tracks = tracks;
    this.#options = options;
  }

  static async open(plan: JoinPlan, options: Options): Promise<CmafOutput> {
    const tracks: TrackFile[] = [];
    const delay = plan.pictures?.delay ?? 0;
    try {
      if (plan.pictures !== null) {
        const { format, config, width, height } = plan.pictures.track;
        const description = { format, config };
        const track = { kind: 'video', width, height, description, startTicks: delay } as const;
        tracks.push(await TrackFile.open('pictures', track, { ...options, delay }));
      }
      const track = {
        kind: 'audio',
        audioSpecificConfig: AUDIO_SPECIFIC_CONFIG,
        channels: 2,
      } as const;
      tracks.push(await TrackFile.open('sound', track, { ...options, delay }));
      return new CmafOutput(plan, tracks, options);
    } catch (error) {
      await Promise.all(tracks.map((track) => track.file.close()));
      throw error;
    }
  }

  async append(block: JoinBlock): Promise<void> {
    await this.#write(this.#grouper.push(block));
    if (block.isHole) for (const { lines } of this.#tracks) lines.addGap(block);
  }

  async finish(): Promise<readonly JoinedFile[]> {
    await this.#write(this.#grouper.flush());
    const files: JoinedFile[] = [];
    for (const track of this.#tracks) files.push(...(await track.finish(this.#options.folder)));
    const index = await OutFile.create(this.#options.folder, 'index.m3u8');
    await index.append(Buffer.from(this.#multivariant()));
    return [await index.finish(), ...files];
  }

  async close(): Promise<void> {
    await Promise.all(this.#tracks.map(({ file }) => file.close()));
  }

  async #write(blocks: readonly JoinBlock[] | undefined): Promise<void> {
    if (blocks === undefined) return;
    for (const track of this.#tracks) await track.write(blocks);
  }

  #multivariant(): string {
    const rates = this.#tracks.map(({ lines }) => lines.rates);
    const sum = (pick: (rate: (typeof rates)[number]) => number): number =>
      rates.reduce((total, rate) => total + pick(rate), 0);
    const track = this.#plan.pictures?.track;
    return writeMultivariantPlaylist({
      uri: track === undefined ? 'sound.m3u8' : 'pictures.m3u8',
      bandwidth: sum(({ peak }) => peak),
      averageBandwidth: sum(({ mean }) => mean),
      codecs: [...(track === undefined ? [] : [codecString(track)]), AAC_LC_CODEC],
      resolution: track,
      audioUri: track === undefined ? undefined : 'sound.m3u8',
    });
  }
}

/** One track's file and playlist. */
class TrackFile {
  readonly file: OutFile;
  readonly lines: HlsLines;
  readonly #name: string;
  readonly #track: FragmentedTrack;
  readonly #initBytes: number;
  /** Ticks of 90 kHz. */
  readonly #delay: number;
  #fragments = 0;

  private constructor(
    file: OutFile,
    name: string,
    options: {
      readonly track: FragmentedTrack;
      readonly createdAtMs: number;
      readonly delay: number;
    },
  ) {
    this.file = file;
    this.lines = new HlsLines(`${name}.mp4`, options.createdAtMs);
    this.#name = name;
    this.#track = options.track;
    this.#delay = options.delay;
    this.#initBytes = file.bytes;
  }

  static async open(
    name: string,
    track: FragmentedTrack,
    { createdAtMs, folder, delay }: Options & { readonly delay: number },
  ): Promise<TrackFile> {
    const file = await OutFile.create(folder, `${name}.mp4`);
    await file.append(initSegment(track, createdAtMs));
    return new TrackFile(file, name, { track, createdAtMs, delay });
  }

  /** One fragment of all the blocks. */
  async write(blocks: readonly JoinBlock[]): Promise<void> {
    const offset = this.file.bytes;
    const isVideo = this.#track.kind === 'video';
    const { samples, data } = isVideo ? pictureSamples(blocks, this.#delay) : frameSamples(blocks);
    const start = blocks[0]?.index ?? 0;
    this.#fragments += 1;
    const header = fragmentHeader(this.#track, {
      sequence: this.#fragments,
      baseTime: start * (isVideo ? SEGMENT_TICKS : SAMPLES_PER_SEGMENT),
      samples,
    });
    await this.file.append(Buffer.concat([header, ...data]));
    this.lines.add(blocks, { offset, length: this.file.bytes - offset });
  }

  async finish(folder: string): Promise<readonly JoinedFile[]> {
    const playlist = await OutFile.create(folder, `${this.#name}.m3u8`);
    await playlist.append(Buffer.from(this.lines.toText(this.#initBytes)));
    return [await playlist.finish(), await this.file.finish()];
  }
}

type Samples = {
  readonly samples: readonly FragmentSample[];
  readonly data: readonly Uint8Array[];
};

function pictureSamples(blocks: readonly JoinBlock[], delay: number): Samples {
  const pictures = blocks.flatMap((block) => block.pictures);
  return {
    samples: pictures.map(({ pts, decodeAt, duration, isKey, data }) => ({
      bytes: data.length,
      duration,
      compositionOffset: pts - decodeAt + delay,
      isKey,
    })),
    data: pictures.map(({ data }) => data),
  };
}

function frameSamples(blocks: readonly JoinBlock[]): Samples {
  const data = blocks.flatMap(({ frames }) => frames);
  const samples = data.map(({ length }) => ({
    bytes: length,
    duration: AAC_FRAME_SAMPLES,
    compositionOffset: 0,
    isKey: true,
  }));
  return { samples, data };
}
