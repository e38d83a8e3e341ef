import { signLink, type Link } from '../access/links.ts';
import type { Highlight } from '../model/highlight.ts';
import type { RecordingProgress } from '../model/progress.ts';
import { isFinal, type Recording } from '../model/recording.ts';

/** Links are good for a week. */
const LINK_LIFETIME_MS = 7 * 86_400_000;
/** Expiry is rounded up to the hour, so that players and caches see the same URL for a while. */
const LINK_ROUNDING_MS = 3_600_000;

/** What links in answers are made of. */
export type LinkContext = {
  /** `http://host:port` as the client knows us. */
  readonly baseUrl: string;
  readonly secrets: readonly string[];
  readonly nowMs: number;
};

/** A recording as the platform sees it. */
export function recordingView(
  recording: Recording,
  progress: RecordingProgress | undefined,
  context: LinkContext,
): object {
  const { id } = recording;
  const token = tokenFor('recording', id, context);
  return {
    ...recording,
    title: recordingTitle(recording),
    progress: progress ?? null,
    links: {
      self: `${context.baseUrl}/v1/recordings/${id}`,
      report: `${context.baseUrl}/v1/recordings/${id}/report`,
      ...playlistLinks(recording, `${context.baseUrl}/t/${token}/v1/`),
      watch: `${context.baseUrl}/watch/${id}?t=${token}`,
    },
  };
}

/** A recording as the holder of its link sees it: nothing of where it came from. */
export function recordingViewerView(
  recording: Recording,
  progress: RecordingProgress | undefined,
): object {
  const { id, state, originMs, createdAtMs, stopRequestedAtMs, history } = recording;
  return {
    id,
    title: recordingTitle(recording),
    state,
    createdAtMs,
    originMs,
    stopRequestedAtMs,
    history: history.map(({ state: past, atMs }) => ({ state: past, atMs })),
    progress:
      progress === undefined
        ? null
        : { segments: progress.segments, recordedMs: progress.recordedMs },
    links: playlistLinks(recording, ''),
  };
}

/** The whole as it grows, a window of its newest part, and, once it is over, all the media there is. */
function playlistLinks({ id, state }: Recording, base: string): Record<string, string | null> {
  const folder = `${base}recordings/${id}`;
  return {
    playlist: `${folder}/index.m3u8`,
    live: `${folder}/live.m3u8`,
    final: isFinal(state) ? `${folder}/final.m3u8` : null,
  };
}

/** A highlight; MP4 and poster are linked once they are there. */
export function highlightView(highlight: Highlight, context: LinkContext): object {
  const { id, clip } = highlight;
  const base = `${context.baseUrl}/t/${tokenFor('highlight', id, context)}/v1/highlights/${id}`;
  return {
    ...highlight,
    clip: clip === null ? null : { durationMs: clip.mp4.durationMs, bytes: clip.mp4.length },
    links: {
      self: `${context.baseUrl}/v1/highlights/${id}`,
      playlist: `${base}/clip.m3u8`,
      mp4: clip === null ? null : `${base}/clip.mp4`,
      poster: clip?.poster ? `${base}/poster.jpg` : null,
    },
  };
}

/** A name for people: the platform's, the classroom's, or the page's host. */
export function recordingTitle(recording: Recording): string {
  const { metadata, source, externalId } = recording;
  if (typeof metadata.title === 'string' && metadata.title !== '') return metadata.title;
  if (source.kind === 'classroom' && source.classroom.title !== '') return source.classroom.title;
  return externalId ?? (source.kind === 'page' ? new URL(source.url).host : recording.id);
}

function tokenFor(kind: Link['kind'], id: string, context: LinkContext): string {
  const latestMs = context.nowMs + LINK_LIFETIME_MS;
  const expiresAtMs = Math.ceil(latestMs / LINK_ROUNDING_MS) * LINK_ROUNDING_MS;
  return signLink({ kind, id, rights: ['play'], expiresAtMs }, context.secrets);
}
