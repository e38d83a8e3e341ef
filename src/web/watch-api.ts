import type { RecordingState } from '../model/recording.ts';

/** A recording as the API shows it to the holder of its link. */
export type WatchedRecording = {
  readonly id: string;
  readonly title: string;
  readonly state: RecordingState;
  readonly createdAtMs: number;
  readonly originMs: number | null;
  readonly history: readonly { readonly state: RecordingState; readonly atMs: number }[];
  readonly progress: { readonly segments: number; readonly recordedMs: number } | null;
};

export type WatchedHighlight = {
  readonly id: string;
  readonly title: string | null;
  readonly requestedBy: string | null;
  readonly triggeredAtMs: number;
  readonly window: { readonly startMs: number; readonly endMs: number };
  readonly state: 'open' | 'assembling' | 'completed' | 'failed';
  readonly links: {
    readonly playlist: string;
    readonly mp4: string | null;
    readonly poster: string | null;
  };
};

/** The link is wrong or has expired: asking again does not help. */
export class LinkRefused extends Error {}

/** What this page may ask the API, by the token in its address (`/watch/<id>?t=<token>`). */
export type WatchApi = {
  readonly playlistUrl: string;
  getRecording(): Promise<WatchedRecording>;
  listHighlights(): Promise<readonly WatchedHighlight[]>;
};

/** Throws `LinkRefused` when the address is not that of a recording. */
export function openWatchApi(location: Location): WatchApi {
  const id = /^\/watch\/([^/]+)\/?$/.exec(location.pathname)?.[1];
  const token = new URLSearchParams(location.search).get('t');
  if (id === undefined || token === null) throw new LinkRefused('no token');
  const root = new URL(`/t/${encodeURIComponent(token)}/v1/`, location.href);
  const absolute = (link: string | null): string | null => link && new URL(link, root).href;
  const base = `${root.pathname}recordings/${id}`;
  return {
    playlistUrl: `${base}/index.m3u8`,
    getRecording: () => getJson<WatchedRecording>(base),
    async listHighlights() {
      const answer = await getJson<{ highlights: WatchedHighlight[] }>(`${base}/highlights`);
      return answer.highlights.map((highlight) => ({
        ...highlight,
        links: {
          playlist: absolute(highlight.links.playlist) ?? '',
          mp4: absolute(highlight.links.mp4),
          poster: absolute(highlight.links.poster),
        },
      }));
    },
  };
}

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if ([401, 403, 404, 410].includes(response.status)) throw new LinkRefused(String(response.status));
  if (!response.ok) throw new Error(`The service answers ${response.status}`);
  return (await response.json()) as T;
}
