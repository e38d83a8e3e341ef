import { AAC_FRAME_SAMPLES } from '../../model/grid.ts';
import {
  box,
  fullBox,
  text,
  timeField,
  u16,
  u32,
  UINT32_MAX,
  type BoxPart,
  type Piece,
} from './box.ts';
import { durationOf } from './columns.ts';
import {
  AUDIO_TIMESCALE,
  MOVIE_TIMESCALE,
  VIDEO_TIMESCALE,
  type AudioTrack,
  type Mp4Movie,
  type VideoTrack,
} from './movie.ts';
import { mp4a, visualEntry } from './sample-entries.ts';
import { aacRollGroups, equalRuns, stbl, type Chunks } from './sample-tables.ts';

/** Seconds from 1904-01-01, the epoch of MP4 times, to 1970-01-01. */
const MP4_EPOCH_OFFSET_SECONDS = 2_082_844_800;
const IDENTITY_MATRIX = u32(0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000);
const LANGUAGE_UNDETERMINED = 0x55c4;
const VIDEO_TRACK_ID = 1;
const AUDIO_TRACK_ID = 2;

export type HeaderOptions = {
  readonly chunks: { readonly video: Chunks; readonly audio: Chunks };
  /** Bytes of the file before the media data. */
  readonly dataStart: number;
  readonly wideOffsets: boolean;
};

/** File type: plain MP4, with AVC unless it says otherwise (ISO/IEC 14496-12 §4.3). */
export function ftyp(video: VideoTrack | undefined): readonly Piece[] {
  const description = video?.description;
  const isOther = description !== undefined && 'config' in description;
  const brand = isOther ? description.format : 'avc1';
  return box('ftyp', Buffer.from('isom'), u32(0x200), Buffer.from(`isomiso2${brand}mp41`));
}

/** The movie box: everything about the media but the media (ISO/IEC 14496-12 §8.2.1). */
export function moov(movie: Mp4Movie, options: HeaderOptions): readonly Piece[] {
  const createdAt = toMp4Time(movie.createdAtMs);
  const times = { createdAt, durationTicks: movie.durationTicks };
  const { video, audio } = movie;
  return box(
    'moov',
    mvhd(times),
    video === undefined ? [] : videoTrak(video, times, options),
    audio === undefined ? [] : audioTrak(audio, times, options),
  );
}

/** The one track of a fragmented file. */
export type FragmentedTrack =
  | ({ readonly kind: 'video' } & Pick<
      VideoTrack,
      'width' | 'height' | 'description' | 'startTicks'
    >)
  | ({ readonly kind: 'audio' } & Pick<AudioTrack, 'audioSpecificConfig' | 'channels'>);

/** The movie box of a fragmented file: its tables are empty, since all samples are in fragments (ISO/IEC 14496-12 §8.8). */
export function initialMoov(track: FragmentedTrack, createdAtMs: number): readonly Piece[] {
  const times = { createdAt: toMp4Time(createdAtMs), durationTicks: 0 };
  const nothing = { counts: [], offsets: [] };
  const options = { chunks: { video: nothing, audio: nothing }, dataStart: 0, wideOffsets: false };
  const noSamples = { sizes: [], durations: { counts: [], values: [] }, keys: [] };
  const trak =
    track.kind === 'video'
      ? videoTrak({ ...track, ...noSamples }, times, options)
      : audioTrak({ ...track, sizes: [], skipSamples: 0 }, times, options);
  // track_ID, sample_description_index 1, and defaults that each fragment replaces (§8.8.3)
  const trex = fullBox('trex', {}, u32(trackIdOf(track), 1, 0, 0, 0));
  return box('moov', mvhd(times), trak, box('mvex', trex));
}

/** The same in a track's init segment and its fragments. */
export function trackIdOf({ kind }: Pick<FragmentedTrack, 'kind'>): number {
  return kind === 'video' ? VIDEO_TRACK_ID : AUDIO_TRACK_ID;
}

function toMp4Time(unixMs: number): number {
  return Math.floor(unixMs / 1000) + MP4_EPOCH_OFFSET_SECONDS;
}

function mvhd({ createdAt, durationTicks }: Times): readonly Piece[] {
  const version = versionFor(durationTicks, createdAt);
  return fullBox(
    'mvhd',
    { version },
    timeField(version, createdAt, createdAt),
    u32(MOVIE_TIMESCALE),
    timeField(version, durationTicks),
    u32(0x1_0000), // rate 1
    u16(0x100, 0), // volume 1
    u32(0, 0),
    IDENTITY_MATRIX,
    Buffer.alloc(24),
    u32(AUDIO_TRACK_ID + 1), // next_track_ID
  );
}

type Times = { readonly createdAt: number; readonly durationTicks: number };

function videoTrak(video: VideoTrack, times: Times, options: HeaderOptions): readonly Piece[] {
  return box(
    'trak',
    tkhd(VIDEO_TRACK_ID, times, { volume: 0, width: video.width, height: video.height }),
    edts(times.durationTicks, video.startTicks ?? 0),
    box(
      'mdia',
      mdhd(times.createdAt, VIDEO_TIMESCALE, durationOf(video.durations)),
      hdlr('vide', 'Video'),
      minf(
        fullBox('vmhd', { flags: 1 }, u16(0, 0, 0, 0)),
        stbl({
          entry: visualEntry(video.description, video),
          sizes: video.sizes,
          durations: video.durations,
          compositionOffsets: video.compositionOffsets,
          // Of a track without samples none is listed as a key picture, and none left out.
          keys: video.sizes.length === 0 ? undefined : video.keys,
          ...options,
          chunks: options.chunks.video,
        }),
      ),
    ),
  );
}

function audioTrak(audio: AudioTrack, times: Times, options: HeaderOptions): readonly Piece[] {
  const durations = equalRuns(audio.sizes.length, AAC_FRAME_SAMPLES);
  return box(
    'trak',
    tkhd(AUDIO_TRACK_ID, times, { volume: 0x100, width: 0, height: 0 }),
    edts(times.durationTicks, audio.skipSamples),
    box(
      'mdia',
      mdhd(times.createdAt, AUDIO_TIMESCALE, durationOf(durations)),
      hdlr('soun', 'Sound'),
      minf(
        fullBox('smhd', {}, u16(0, 0)),
        stbl({
          entry: mp4a(audio),
          sizes: audio.sizes,
          durations,
          keys: undefined,
          ...options,
          chunks: options.chunks.audio,
          groups: audio.sizes.length === 0 ? [] : aacRollGroups(audio.sizes.length),
        }),
      ),
    ),
  );
}

function tkhd(
  trackId: number,
  { createdAt, durationTicks }: Times,
  { volume, width, height }: { volume: number; width: number; height: number },
): readonly Piece[] {
  const version = versionFor(durationTicks, createdAt);
  return fullBox(
    'tkhd',
    { version, flags: 3 }, // enabled, in movie
    timeField(version, createdAt, createdAt),
    u32(trackId, 0),
    timeField(version, durationTicks),
    u32(0, 0),
    u16(0, 0, volume, 0), // layer, alternate_group
    IDENTITY_MATRIX,
    u32(width * 0x1_0000, height * 0x1_0000),
  );
}

/** One edit: the presentation is `durationTicks` of the media from `mediaTime` on (ISO/IEC 14496-12 §8.6.6). */
function edts(durationTicks: number, mediaTime: number): readonly Piece[] {
  const version = versionFor(durationTicks, mediaTime);
  return box(
    'edts',
    fullBox('elst', { version }, u32(1), timeField(version, durationTicks, mediaTime), u16(1, 0)),
  );
}

function mdhd(createdAt: number, timescale: number, duration: number): readonly Piece[] {
  const version = versionFor(duration, createdAt);
  return fullBox(
    'mdhd',
    { version },
    timeField(version, createdAt, createdAt),
    u32(timescale),
    timeField(version, duration),
    u16(LANGUAGE_UNDETERMINED, 0),
  );
}

function hdlr(type: string, name: string): readonly Piece[] {
  return fullBox('hdlr', {}, u32(0), Buffer.from(type), u32(0, 0, 0), text(name));
}

function minf(mediaHeader: BoxPart, sampleTable: BoxPart): readonly Piece[] {
  const url = fullBox('url ', { flags: 1 }); // the media is in this file
  return box('minf', mediaHeader, box('dinf', fullBox('dref', {}, u32(1), url)), sampleTable);
}

/** 64-bit times only where they are needed: old readers know version 0 better. */
function versionFor(...values: readonly number[]): 0 | 1 {
  return values.some((value) => value > UINT32_MAX) ? 1 : 0;
}

/** Header of the media data box: 8 bytes, or 16 where its size needs more than 32 bits (§4.2). */
export function mdatHeader(dataLength: number): Buffer {
  const mdat = Buffer.from('mdat', 'latin1');
  if (dataLength + 8 <= UINT32_MAX) return Buffer.concat([u32(dataLength + 8), mdat]);
  return Buffer.concat([u32(1), mdat, timeField(1, dataLength + 16)]);
}
