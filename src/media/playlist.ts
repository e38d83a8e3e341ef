/** One line of a media playlist. Knows nothing of recordings: times are Unix ms, URIs are as they will be written. */
export type PlaylistSegment = {
  readonly uri: string;
  readonly startMs: number;
  readonly durationMs: number;
  /** Parameter sets differ from the segment before. */
  readonly discontinuity?: boolean;
  /** A hole: nothing is at the URI. */
  readonly gap?: boolean;
};

export type PlaylistOptions = {
  readonly mediaSequence: number;
  readonly type: 'EVENT' | 'VOD' | 'LIVE';
  readonly ended: boolean;
  /** Seconds from the start of the playlist at which players begin, precise. */
  readonly startOffsetMs?: number;
  readonly segments: readonly PlaylistSegment[];
};

/** Writes an HLS media playlist (RFC 8216bis). Version 3 unless a tag needs more. */
export function writeMediaPlaylist(options: PlaylistOptions): string {
  const { segments } = options;
  const targetMs = Math.max(1, ...segments.map((s) => Math.round(s.durationMs / 1000)));
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${segments.some((s) => s.gap) ? 8 : 6}`,
    `#EXT-X-TARGETDURATION:${segments.length === 0 ? 2 : targetMs}`,
    `#EXT-X-MEDIA-SEQUENCE:${options.mediaSequence}`,
    ...(options.type === 'LIVE' ? [] : [`#EXT-X-PLAYLIST-TYPE:${options.type}`]),
    '#EXT-X-INDEPENDENT-SEGMENTS',
  ];
  if (options.startOffsetMs !== undefined) {
    lines.push(`#EXT-X-START:TIME-OFFSET=${seconds(options.startOffsetMs)},PRECISE=YES`);
  }
  for (const segment of segments) {
    if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.gap) lines.push('#EXT-X-GAP');
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startMs).toISOString()}`);
    lines.push(`#EXTINF:${seconds(segment.durationMs)},`, segment.uri);
  }
  if (options.ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/** Milliseconds as decimal seconds, exactly, at least one decimal: 1600 → "1.6". */
function seconds(ms: number): string {
  const text = (ms / 1000).toFixed(3).replace(/0{1,2}$/, '');
  return text;
}
