/** One entry of a media playlist. Knows nothing of recordings: URIs are as they will be written. */
export type PlaylistSegment = {
  readonly uri: string;
  /** Unix ms. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Parameter sets differ from the segment before. */
  readonly discontinuity?: boolean;
  /** A hole: nothing is at the URI. */
  readonly gap?: boolean;
  /** Bytes of the URI that the segment is. Default: all. */
  readonly byteRange?: ByteRange;
};

/** A run of a file's bytes. */
export type ByteRange = { readonly offset: number; readonly length: number };

export type PlaylistOptions = {
  /** The first segment's number. */
  readonly mediaSequence: number;
  /** `EVENT` only grows, `VOD` never changes, `LIVE` may lose its oldest entries. */
  readonly type: 'EVENT' | 'VOD' | 'LIVE';
  /** Nothing will be appended. */
  readonly ended: boolean;
  /** Changes of parameter sets ahead of the first segment that are no longer in it: `LIVE` only. Default 0. */
  readonly discontinuitySequence?: number;
  /** Where players begin, to the frame: ms from the start of the playlist. */
  readonly startOffsetMs?: number;
  /** Players may ask for what has changed (`_HLS_skip`): see `GrowingPlaylist`. */
  readonly canSkip?: boolean;
  /** What every segment needs ahead of it: the init segment of a fragmented MP4. */
  readonly map?: { readonly uri: string; readonly byteRange: ByteRange };
  readonly segments: readonly PlaylistSegment[];
};

/**
 * EXT-X-GAP came with 8, everything else here is older (draft-pantos-hls-rfc8216bis §8 allows a higher number than is needed).
 * Always 8, so that a playlist being served keeps its header when its first hole appears.
 */
const PROTOCOL_VERSION = 8;
/** EXT-X-SKIP came with 9; all answers of one URI name the same. */
const PROTOCOL_VERSION_SKIP = 9;
/** The grid's 1.6 s, rounded; the least ever written, since the tag must not change while a playlist grows. */
const LEAST_TARGET_DURATION_S = 2;
/** The last line of a playlist that nothing will be appended to. */
export const END_LINE = '#EXT-X-ENDLIST\n';
/** A delta update leaves out what is further than this from the end: at least six target durations (§4.4.3.8), s. */
const SKIP_BOUNDARY_S = 12;
/** Entries of the grid's length that a delta update must keep. */
export const LEAST_KEPT_BY_SKIP = Math.ceil(SKIP_BOUNDARY_S / 1.6);

/** Writes an HLS media playlist (RFC 8216, draft-pantos-hls-rfc8216bis §4.4.3 and §4.4.4), every segment with its date. */
export function writeMediaPlaylist(options: PlaylistOptions): string {
  const { segments, ended } = options;
  return `${writeHeader(options)}${segments.map(writeEntry).join('')}${ended ? END_LINE : ''}`;
}

/** The line that stands for entries a delta update leaves out (§4.4.5.2). */
export function writeSkip(entries: number): string {
  return `#EXT-X-SKIP:SKIPPED-SEGMENTS=${entries}\n`;
}

/** All lines ahead of the first entry. */
export function writeHeader(options: PlaylistOptions): string {
  const { mediaSequence, discontinuitySequence = 0, type, startOffsetMs, segments } = options;
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${options.canSkip ? PROTOCOL_VERSION_SKIP : PROTOCOL_VERSION}`,
    `#EXT-X-TARGETDURATION:${targetDurationS(segments)}`,
    `#EXT-X-MEDIA-SEQUENCE:${mediaSequence}`,
  ];
  if (discontinuitySequence > 0) {
    lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`);
  }
  if (type !== 'LIVE') lines.push(`#EXT-X-PLAYLIST-TYPE:${type}`);
  lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  if (options.canSkip) {
    lines.push(`#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=${SKIP_BOUNDARY_S.toFixed(1)}`);
  }
  if (startOffsetMs !== undefined) {
    lines.push(`#EXT-X-START:TIME-OFFSET=${seconds(startOffsetMs)},PRECISE=YES`);
  }
  if (options.map !== undefined) {
    const { uri, byteRange } = options.map;
    lines.push(`#EXT-X-MAP:URI="${uri}",BYTERANGE="${rangeText(byteRange)}"`);
  }
  return `${lines.join('\n')}\n`;
}

function rangeText({ offset, length }: ByteRange): string {
  return `${length}@${offset}`;
}

/** All lines of one entry. */
export function writeEntry(entry: PlaylistSegment): string {
  const { uri, startMs, durationMs, discontinuity, gap, byteRange } = entry;
  const lines = [
    ...(discontinuity ? ['#EXT-X-DISCONTINUITY'] : []),
    ...(gap ? ['#EXT-X-GAP'] : []),
    `#EXT-X-PROGRAM-DATE-TIME:${new Date(startMs).toISOString()}`,
    `#EXTINF:${seconds(durationMs)},`,
    ...(byteRange === undefined ? [] : [`#EXT-X-BYTERANGE:${rangeText(byteRange)}`]),
    uri,
  ];
  return `${lines.join('\n')}\n`;
}

/** No EXTINF, rounded to the nearest second, may exceed it (§4.4.3.1). */
function targetDurationS(segments: readonly PlaylistSegment[]): number {
  return segments.reduce(
    (most, { durationMs }) => Math.max(most, Math.round(durationMs / 1000)),
    LEAST_TARGET_DURATION_S,
  );
}

/** Milliseconds as decimal seconds, exactly, with at least one decimal: 1600 is "1.6". */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3).replace(/0{1,2}$/, '');
}

/** One picture track and, where it lies apart, its sound. */
export type Multivariant = {
  /** The media playlist of the pictures, or of picture and sound in one. */
  readonly uri: string;
  /** Bits per second: most of any segment, and the mean. */
  readonly bandwidth: number;
  readonly averageBandwidth: number;
  /** RFC 6381. */
  readonly codecs: readonly string[];
  /** Pixels; undefined for sound alone. */
  readonly resolution: { readonly width: number; readonly height: number } | undefined;
  readonly audioUri?: string | undefined;
};

/** Writes a multivariant playlist of one variant (draft-pantos-hls-rfc8216bis §4.4.6). */
export function writeMultivariantPlaylist(variant: Multivariant): string {
  const { resolution, audioUri } = variant;
  const attributes = [
    `BANDWIDTH=${Math.ceil(variant.bandwidth)}`,
    `AVERAGE-BANDWIDTH=${Math.ceil(variant.averageBandwidth)}`,
    `CODECS="${variant.codecs.join(',')}"`,
    ...(resolution === undefined ? [] : [`RESOLUTION=${resolution.width}x${resolution.height}`]),
    ...(audioUri === undefined ? [] : ['AUDIO="sound"']),
  ];
  const sound =
    audioUri === undefined
      ? []
      : [
          '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="sound",DEFAULT=YES,AUTOSELECT=YES,' +
            `CHANNELS="2",URI="${audioUri}"`,
        ];
  return [
    '#EXTM3U',
    `#EXT-X-VERSION:${PROTOCOL_VERSION}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...sound,
    `#EXT-X-STREAM-INF:${attributes.join(',')}`,
    variant.uri,
    '',
  ].join('\n');
}
