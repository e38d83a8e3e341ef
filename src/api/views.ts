import { signLink, type Link, type LinkRight } from '../access/links.ts';
import type { Highlight } from '../model/highlight.ts';
import type { RecordingProgress } from '../model/progress.ts';
import { expiryOf, isFinal, traceOf, type Recording } from '../model/recording.ts';
import type { Share } from '../storage/records/share-repository.ts';

/** Links in answers cannot be revoked, so they are short-lived; the longest class, of 24 h, can be watched with one. */
const LINK_LIFETIME_MS = 2 * 86_400_000;
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
  const page = (name: string, rights: readonly LinkRight[]): string =>
    `${context.baseUrl}/${name}/${id}?t=${tokenFor({ kind: 'recording', id, rights }, context)}`;
  const token = tokenFor({ kind: 'recording', id, rights: ['play'] }, context);
  return {
    ...recording,
    traceId: traceOf(recording),
    // More of them at `/reencode`; whole profiles name programs of the operator's machines.
    reencodes: (recording.reencodes ?? []).map(({ profile, ...run }) => ({
      profile: profile.name,
      ...run,
    })),
    title: recordingTitle(recording),
    retentionS: recording.retentionS ?? null,
    expiresAtMs: expiryOf(recording),
    progress: progress ?? null,
    links: {
      self: `${context.baseUrl}/v1/recordings/${id}`,
      report: `${context.baseUrl}/v1/recordings/${id}/report`,
      events: `${context.baseUrl}/v1/recordings/${id}/events.jsonl`,
      ...playlistLinks(recording, `${context.baseUrl}/t/${token}/v1/`),
      watch: page('watch', ['play', 'download']),
      panel: page('panel', ['play', 'download', 'trigger']),
    },
  };
}

/** A recording as the holder of its link sees it: nothing of where it came from. Links are relative to `/t/<token>/v1/`. */
export function recordingViewerView(
  recording: Recording,
  progress: RecordingProgress | undefined,
  viewer: { readonly link: Link; readonly nowMs: number },
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
    rights: viewer.link.rights,
    viewerId: viewer.link.viewerId,
    /** Our clock: a page says by it which moment it means. */
    nowMs: viewer.nowMs,
    links: playlistLinks(recording, ''),
  };
}

/** The whole as it grows, a window of its newest part, and, once it is over, all the media there is: as playlist, and as one file. */
function playlistLinks({ id, state }: Recording, base: string): Record<string, string | null> {
  const folder = `${base}recordings/${id}`;
  return {
    playlist: `${folder}/index.m3u8`,
    live: `${folder}/live.m3u8`,
    final: isFinal(state) ? `${folder}/final.m3u8` : null,
    mp4: isFinal(state) ? `${folder}/recording.mp4` : null,
  };
}

/** A highlight as the platform sees it; MP4 and poster are linked once they are there. */
export function highlightView(highlight: Highlight, context: LinkContext): object {
  const { id, clip } = highlight;
  const token = tokenFor({ kind: 'highlight', id, rights: ['play', 'download'] }, context);
  return {
    ...highlight,
    clip: clip === null ? null : { durationMs: clip.mp4.durationMs, bytes: clip.mp4.length },
    links: {
      self: `${context.baseUrl}/v1/highlights/${id}`,
      ...clipLinks(highlight, `${context.baseUrl}/t/${token}/v1/highlights/${id}`),
      share: `${context.baseUrl}/share/${id}?t=${token}`,
    },
  };
}

/**
 * A highlight as the holder of a link sees it: without the participants, the trigger and where it came from. Its links are relative to
 * `/t/<token>/v1/`; `share`, to be passed on, is whole, and allows no more and no longer than the link it was made from.
 */
export function highlightViewerView(
  highlight: Highlight,
  { link, isFavourite }: { readonly link: Link; readonly isFavourite: boolean },
  { baseUrl, secrets }: LinkContext,
): object {
  const { id, recordingId, title, requestedBy, tags, state, warnings } = highlight;
  const { triggeredAtMs, createdAtMs, window, clip } = highlight;
  const rights = link.rights.filter((right) => right === 'play' || right === 'download');
  const passedOn = signLink({ ...link, kind: 'highlight', id, rights, viewerId: null }, secrets);
  const links = clipLinks(highlight, `highlights/${id}`);
  return {
    ...{ id, recordingId, title, requestedBy, tags, state, warnings },
    ...{ triggeredAtMs, createdAtMs, window, isFavourite },
    clip: clip === null ? null : { durationMs: clip.mp4.durationMs, bytes: clip.mp4.length },
    rights: link.rights,
    viewerId: link.viewerId,
    links: {
      ...links,
      download: rights.includes('download') ? links.download : null,
      share: `${baseUrl}/share/${id}?t=${passedOn}`,
    },
  };
}

/** The clip's forms: each is null until it is there, and the playlist when its recording is gone. */
function clipLinks({ clip, playlistGoneAtMs }: Highlight, folder: string): ClipLinks {
  const mp4 = clip === null ? null : `${folder}/clip.mp4`;
  return {
    playlist: playlistGoneAtMs === undefined ? `${folder}/clip.m3u8` : null,
    mp4,
    download: mp4 === null ? null : `${mp4}?download=1`,
    poster: clip?.poster ? `${folder}/poster.jpg` : null,
  };
}

type ClipLinks = {
  readonly playlist: string | null;
  /** To be played in place. */
  readonly mp4: string | null;
  /** The same, as a file with a name. */
  readonly download: string | null;
  readonly poster: string | null;
};

/** A share as the platform sees it, with its link. */
export function shareView(share: Share, { baseUrl, secrets }: LinkContext): object {
  const { id, kind, targetId, rights, viewerId, createdAtMs, expiresAtMs } = share;
  const link: Link = { kind, id: targetId, rights, viewerId, shareId: id, expiresAtMs };
  const token = signLink(link, secrets);
  return {
    id,
    recordingId: kind === 'recording' ? targetId : null,
    highlightId: kind === 'highlight' ? targetId : null,
    ...{ rights, viewer: viewerId, createdAtMs, expiresAtMs, token },
    url: `${baseUrl}/${pageFor(link)}/${targetId}?t=${token}`,
  };
}

/** The page that shows what a link is for. */
function pageFor({ kind, rights }: Link): 'share' | 'panel' | 'watch' {
  if (kind === 'highlight') return 'share';
  return rights.includes('trigger') ? 'panel' : 'watch';
}

/** A name for people: the platform's, the classroom's, or the page's host. */
export function recordingTitle(recording: Recording): string {
  const { metadata, source, externalId } = recording;
  if (typeof metadata.title === 'string' && metadata.title !== '') return metadata.title;
  if (source.kind === 'classroom' && source.classroom.title !== '') return source.classroom.title;
  return externalId ?? (source.kind === 'page' ? new URL(source.url).host : recording.id);
}

/** A link that goes into an answer: it is for anybody, has no record, and expires soon. */
function tokenFor(
  target: Pick<Link, 'kind' | 'id' | 'rights'>,
  { nowMs, secrets }: LinkContext,
): string {
  const latestMs = nowMs + LINK_LIFETIME_MS;
  const expiresAtMs = Math.ceil(latestMs / LINK_ROUNDING_MS) * LINK_ROUNDING_MS;
  return signLink({ ...target, viewerId: null, shareId: null, expiresAtMs }, secrets);
}
