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
};

export type PlaylistOptions = {
  /** The first segment's number. */
  readonly mediaSequence: number;
  /** `EVENT` only grows, `VOD` never changes, `LIVE` may lose its oldest entries. */
  readonly type: 'EVENT' | 'VOD' | 'LIVE';
  /** Nothing will be appended. */
  readonly ended: boolean;
  /** Where players begin, to the frame: ms from the start of the playlist. */
  readonly startOffsetMs?: number;
  readonly segments: readonly PlaylistSegment[];
};

/**
 * EXT-X-GAP came with 8, everything else here is older (draft-pantos-hls-rfc8216bis §8 allows a higher number than is needed).
 * Always 8, so that a playlist being served keeps its header when its first hole appears.
 */
const PROTOCOL_VERSION = 8;
/** The grid's 1.6 s, rounded; the least ever written, since the tag must not change while a playlist grows. */
const LEAST_TARGET_DURATION_S = 2;

/** Writes an HLS media playlist (RFC 8216, draft-pantos-hls-rfc8216bis §4.4.3 and §4.4.4), every segment with its date. */
export function writeMediaPlaylist(options: PlaylistOptions): string {
  const lines = [...headerLines(options), ...options.segments.flatMap(segmentLines)];
  if (options.ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

function headerLines({ mediaSequence, type, startOffsetMs, segments }: PlaylistOptions): string[] {
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${PROTOCOL_VERSION}`,
    `#EXT-X-TARGETDURATION:${targetDurationS(segments)}`,
    `#EXT-X-MEDIA-SEQUENCE:${mediaSequence}`,
  ];
  if (type !== 'LIVE') lines.push(`#EXT-X-PLAYLIST-TYPE:${type}`);
  lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  if (startOffsetMs !== undefined) {
    lines.push(`#EXT-X-START:TIME-OFFSET=${seconds(startOffsetMs)},PRECISE=YES`);
  }
  return lines;
}

function segmentLines({ uri, startMs, durationMs, discontinuity, gap }: PlaylistSegment): string[] {
  return [
    ...(discontinuity ? ['#EXT-X-DISCONTINUITY'] : []),
    ...(gap ? ['#EXT-X-GAP'] : []),
    `#EXT-X-PROGRAM-DATE-TIME:${new Date(startMs).toISOString()}`,
    `#EXTINF:${seconds(durationMs)},`,
    uri,
  ];
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
