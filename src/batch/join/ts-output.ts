import {
  findLengthPrefixed,
  ACCESS_UNIT_DELIMITER,
  joinAnnexB,
  type ParameterSets,
} from '../../media/h264.ts';
import { readAvcC } from '../../media/mp4/avcc-reader.ts';
import { StreamWriter, type StreamPicture } from '../../media/mpegts/stream-writer.ts';
import { ChalkreelError } from '../../errors.ts';
import { SEGMENT_TICKS, segmentPts90k } from '../../model/grid.ts';
import { HlsLines } from './hls-lines.ts';
import { HlsGrouper, type JoinBlock, type JoinPicture, type OutputWriter } from './join-block.ts';
import type { JoinPlan } from './join-plan.ts';
import { OutFile, type JoinedFile } from './out-file.ts';

/** HLS of MPEG-TS: one file whose segments are byte ranges, its PTS those of the recording. Where there is a hole there is an `EXT-X-GAP`. */
export class TsOutput implements OutputWriter {
  readonly #file: OutFile;
  readonly #folder: string;
  readonly #lines: HlsLines;
  readonly #writer: StreamWriter;
  readonly #sets: ParameterSets | undefined;
  readonly #grouper = new HlsGrouper();

  private constructor(
    plan: JoinPlan,
    options: { readonly file: OutFile; readonly createdAtMs: number; readonly folder: string },
  ) {
    const { pictures } = plan;
    this.#file = options.file;
    this.#folder = options.folder;
    this.#lines = new HlsLines('media.ts', options.createdAtMs);
    this.#sets = pictures === null ? undefined : readAvcC(pictures.track.config);
    this.#writer = new StreamWriter({
      startPts90k: segmentPts90k(plan.firstN),
      delay90k: pictures?.delay ?? 0,
      hasVideo: pictures !== null,
    });
  }

  static async open(
    plan: JoinPlan,
    options: { readonly createdAtMs: number; readonly folder: string },
  ): Promise<TsOutput> {
    const file = await OutFile.create(options.folder, 'media.ts');
    return new TsOutput(plan, { ...options, file });
  }

  async append(block: JoinBlock): Promise<void> {
    await this.#write(this.#grouper.push(block));
    if (block.isHole) this.#lines.addGap(block);
  }

  async finish(): Promise<readonly JoinedFile[]> {
    await this.#write(this.#grouper.flush());
    const index = await OutFile.create(this.#folder, 'index.m3u8');
    await index.append(Buffer.from(this.#lines.toText()));
    return [await index.finish(), await this.#file.finish()];
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #write(blocks: readonly JoinBlock[] | undefined): Promise<void> {
    if (blocks === undefined) return;
    const bytes = this.#writer.writeSegment({
      start: (blocks[0]?.index ?? 0) * SEGMENT_TICKS,
      pictures: blocks.flatMap(({ pictures }) => pictures.map((picture) => this.#toUnit(picture))),
      frames: blocks.flatMap(({ frames }) => frames),
    });
    const offset = this.#file.bytes;
    await this.#file.append(bytes);
    this.#lines.add(blocks, { offset, length: bytes.length });
  }

  #toUnit({ pts, decodeAt, isKey, data }: JoinPicture): StreamPicture {
    const nals = findLengthPrefixed(data);
    if (nals === undefined || this.#sets === undefined) {
      throw new ChalkreelError('encoder-output', 'Expected H.264 NAL units behind their lengths.');
    }
    const sets = isKey ? [...this.#sets.sps, ...this.#sets.pps] : [];
    const unit = Buffer.concat([ACCESS_UNIT_DELIMITER, joinAnnexB([...sets, ...nals])]);
    return { pts, decodeAt, isKey, data: unit };
  }
}
