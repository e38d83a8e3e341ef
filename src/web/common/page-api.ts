import type { HighlightState } from '../../model/highlight.ts';
import type { RecordingState } from '../../model/recording.ts';
import type { LinkRefusal } from '../../protocol/page-data.ts';

/** A recording as the API shows it to the holder of its link; links are absolute. */
export type RecordingView = {
  readonly id: string;
  readonly title: string;
  readonly state: RecordingState;
  readonly createdAtMs: number;
  readonly originMs: number | null;
  readonly history: readonly { readonly state: RecordingState; readonly atMs: number }[];
  readonly progress: { readonly segments: number; readonly recordedMs: number } | null;
  readonly rights: readonly string[];
  /** `mp4`: the whole lesson as one file; null until it is over. */
  readonly links: { readonly playlist: string; readonly mp4: string | null };
  /** The service's clock, Unix ms. */
  readonly nowMs: number;
};

/** A highlight as the API shows it to the holder of a link; links are absolute. */
export type HighlightView = {
  readonly id: string;
  readonly title: string | null;
  readonly requestedBy: string | null;
  readonly triggeredAtMs: number;
  readonly window: { readonly startMs: number; readonly endMs: number };
  readonly state: HighlightState;
  readonly warnings: readonly string[];
  readonly isFavourite: boolean;
  readonly clip: { readonly durationMs: number; readonly bytes: number } | null;
  readonly rights: readonly string[];
  readonly links: {
    /** Null once the recording is gone. */
    readonly playlist: string | null;
    readonly mp4: string | null;
    /** The MP4 as a file with a name; null also where the link does not allow it. */
    readonly download: string | null;
    readonly poster: string | null;
    /** A share page to pass on: good for this clip alone, and for nobody in particular. */
    readonly share: string;
  };
};

/** The link opens nothing: asking again does not help. */
export class LinkRefused extends Error {
  readonly refusal: LinkRefusal;

  constructor(refusal: LinkRefusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

/** The service did not do what was asked; `isWorthRetrying` when the same request may succeed later. */
export class RequestFailed extends Error {
  readonly isWorthRetrying: boolean;

  constructor(message: string, isWorthRetrying: boolean) {
    super(message);
    this.isWorthRetrying = isWorthRetrying;
  }
}

/** What a page may ask the API, by the token in its address. All throw `LinkRefused` or `RequestFailed`. */
export type PageApi = {
  /** Of the recording or highlight in the address. */
  readonly id: string;
  getRecording(): Promise<RecordingView>;
  listHighlights(): Promise<readonly HighlightView[]>;
  getHighlight(): Promise<HighlightView>;
  /** `path` is below `/v1/`. */
  send<T>(method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: object): Promise<T>;
};

/** Mobile networks swallow requests without a word: after this one counts as lost, ms. */
const REQUEST_TIMEOUT_MS = 10_000;
const TOO_MANY_REQUESTS = 429;

/** The API as the token in a page's address (`/<page>/<id>?t=<token>`) opens it. Throws `LinkRefused` when it has none. */
export function openPageApi(location: { readonly href: string }): PageApi {
  const { origin, pathname, searchParams } = new URL(location.href);
  const id = /^\/[a-z]+\/([^/]+)\/?$/.exec(pathname)?.[1];
  const token = searchParams.get('t');
  if (id === undefined || token === null) throw new LinkRefused('invalid');
  const base = `${origin}/t/${encodeURIComponent(token)}/v1/`;
  const get = <T>(path: string): Promise<T> => ask<T>(`${base}${path}`, { method: 'GET' });
  const resolve = <T extends { readonly links: object }>(view: T): T => resolveLinks(view, base);
  return {
    id,
    getRecording: async () => resolve(await get<RecordingView>(`recordings/${id}`)),
    async listHighlights() {
      const path = `recordings/${id}/highlights`;
      return (await get<{ highlights: readonly HighlightView[] }>(path)).highlights.map(resolve);
    },
    getHighlight: async () => resolve(await get<HighlightView>(`highlights/${id}`)),
    send(method, path, body) {
      const headers = { 'Content-Type': 'application/json' };
      const json = body === undefined ? {} : { body: JSON.stringify(body), headers };
      return ask(`${base}${path}`, { method, ...json });
    },
  };
}

/** Links in answers to holders of a link are relative to `/t/<token>/v1/`. */
function resolveLinks<T extends { readonly links: object }>(view: T, base: string): T {
  const links = Object.entries(view.links).map(([name, link]: [string, string | null]) => [
    name,
    link === null ? null : new URL(link, base).href,
  ]);
  return { ...view, links: Object.fromEntries(links) as T['links'] };
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetchInTime(url, init);
  if (!response.ok) throw await explain(response);
  const text = await response.text().catch(lost);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function fetchInTime(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }).catch(lost);
}

function lost(): never {
  throw new RequestFailed('No connection', true);
}

async function explain(response: Response): Promise<LinkRefused | RequestFailed> {
  const { code = '', detail = '' } = (await response.json().catch(() => ({}))) as {
    code?: string;
    detail?: string;
  };
  const refusal = REFUSALS[code];
  if (refusal !== undefined) return new LinkRefused(refusal);
  const isWorthRetrying = response.status >= 500 || response.status === TOO_MANY_REQUESTS;
  return new RequestFailed(detail || `The service answers ${response.status}`, isWorthRetrying);
}

/** Problems' codes that say that this link opens nothing. */
const REFUSALS: Readonly<Partial<Record<string, LinkRefusal>>> = {
  'link-invalid': 'invalid',
  'link-foreign': 'invalid',
  'link-expired': 'expired',
  'link-revoked': 'revoked',
  'recording-not-found': 'missing',
  'highlight-not-found': 'missing',
};
