import { UINT32_MAX } from './box.ts';
import { ftyp, mdatHeader, moov } from './header.ts';
import {
  AUDIO_TIMESCALE,
  VIDEO_TIMESCALE,
  type Mp4Movie,
  type Mp4Sample,
  type VideoSample,
} from './movie.ts';
import type { Chunk } from './sample-tables.ts';

/** Where everything of a fast-start MP4 lies, known before any media byte is at hand. */
export type Mp4Layout = {
  /** All bytes before the media data: `ftyp`, `moov`, the head of `mdat`. */
  readonly header: Buffer;
  /** Runs of samples in file order; offsets count from the end of `header`. */
  readonly chunks: readonly Chunk[];
  /** Bytes of the whole file. */
  readonly length: number;
};

type Loaded = { readonly data: Uint8Array };

/** Sound lies beside its picture: a player never seeks further than this much media. */
const INTERLEAVE_SECONDS = 0.5;

/**
 * Lays out a fast-start MP4 (ISO/IEC 14496-12) from the sizes and durations of its samples: one `avc1` track, unless
 * there is only sound, and one `mp4a` track, each with one exact edit, `moov` before the media data, in which picture and sound alternate.
 */
export function layOutMp4(movie: Mp4Movie): Mp4Layout {
  const chunks = interleave(movie);
  const dataLength = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const fileType = ftyp();
  const dataHeader = mdatHeader(dataLength);
  const lengthWith = (wideOffsets: boolean): number =>
    fileType.length + moov(movie, { chunks, dataStart: 0, wideOffsets }).length + dataHeader.length;
  // Judged by the longer header, so that no offset can be found too large afterwards.
  const wideLength = lengthWith(true);
  const wideOffsets = wideLength + dataLength > UINT32_MAX;
  const dataStart = wideOffsets ? wideLength : lengthWith(false);
  const header = Buffer.concat([
    fileType,
    moov(movie, { chunks, dataStart, wideOffsets }),
    dataHeader,
  ]);
  return { header, chunks, length: dataStart + dataLength };
}

/** The whole file as pieces in order; the samples' own buffers are handed on, not copied. */
export function writeMp4(movie: Mp4Movie<VideoSample & Loaded, Mp4Sample & Loaded>): Uint8Array[] {
  const { header, chunks } = layOutMp4(movie);
  const tracks = { video: movie.video?.samples ?? [], audio: movie.audio.samples };
  return [
    header,
    ...chunks.flatMap(({ track, first, count }) =>
      tracks[track].slice(first, first + count).map((sample) => sample.data),
    ),
  ];
}

/** Samples of each half second of presentation, the picture's first. */
function interleave({ video, audio }: Mp4Movie): Chunk[] {
  const runs = [
    ...runsOf('video', video?.samples ?? [], { timescale: VIDEO_TIMESCALE, startsAt: 0 }),
    ...runsOf('audio', audio.samples, { timescale: AUDIO_TIMESCALE, startsAt: -audio.skipSamples }),
  ];
  // The sort is stable: within one period the picture stays before its sound.
  runs.sort((a, b) => a.period - b.period);
  let offset = 0;
  return runs.map(({ track, first, count, length }) => {
    const chunk = { track, first, count, offset, length };
    offset += length;
    return chunk;
  });
}

type Run = { track: Chunk['track']; period: number; first: number; count: number; length: number };

function runsOf(
  track: Chunk['track'],
  samples: readonly Mp4Sample[],
  { timescale, startsAt }: { timescale: number; startsAt: number },
): Run[] {
  const runs: Run[] = [];
  let time = startsAt;
  samples.forEach((sample, first) => {
    const period = Math.max(0, Math.floor(time / timescale / INTERLEAVE_SECONDS));
    time += sample.duration;
    const last = runs.at(-1);
    if (last?.period === period) {
      last.count++;
      last.length += sample.size;
    } else {
      runs.push({ track, period, first, count: 1, length: sample.size });
    }
  });
  return runs;
}
