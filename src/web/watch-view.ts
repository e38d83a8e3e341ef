import { isFinal, type RecordingState } from '../model/recording.ts';
import type { WatchedHighlight, WatchedRecording } from './watch-api.ts';

const STATE_WORDS: Readonly<Record<RecordingState, string>> = {
  queued: 'Waiting',
  starting: 'Starting',
  recording: 'Live',
  stopping: 'Ending',
  completed: 'Recorded',
  failed: 'Interrupted',
};

/** The page's element with this id; throws when the page has none. */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no #${id}`);
  return found;
}

/** The page's player. */
export function videoElement(): HTMLVideoElement {
  const found = element('video');
  if (!(found instanceof HTMLVideoElement)) throw new Error('#video is not a video element');
  return found;
}

/** Title, badge and the line below. */
export function renderFacts(recording: WatchedRecording): void {
  element('title').textContent = recording.title;
  document.title = `${recording.title} · Chalkreel`;
  const badge = element('badge');
  badge.hidden = false;
  badge.textContent = STATE_WORDS[recording.state];
  badge.dataset.kind = badgeKind(recording.state);
  const startedAtMs = recording.originMs ?? recording.createdAtMs;
  const length = recording.progress?.recordedMs;
  element('facts').textContent = [
    new Date(startedAtMs).toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'short' }),
    ...(length === undefined ? [] : [clockTime(length)]),
  ].join(' · ');
}

/** The list, newest first. Cards are replaced only when they change, so that posters do not flicker. */
export function renderHighlights(
  highlights: readonly WatchedHighlight[],
  recording: WatchedRecording,
): void {
  element('no-highlights').hidden = highlights.length > 0;
  const list = element('highlights');
  const present = new Map([...list.children].map((card) => [card.id, card as HTMLElement]));
  const cards = [...highlights].reverse().map((highlight) => {
    const old = present.get(`highlight-${highlight.id}`);
    return old?.dataset.state === highlight.state ? old : makeCard(highlight, recording);
  });
  const isSame = cards.every((card, i) => list.children[i] === card);
  if (!isSame || cards.length !== list.children.length) list.replaceChildren(...cards);
}

function makeCard(highlight: WatchedHighlight, recording: WatchedRecording): HTMLElement {
  const { links, window: span } = highlight;
  const card = document.createElement('li');
  card.id = `highlight-${highlight.id}`;
  card.dataset.state = highlight.state;
  if (links.poster !== null) card.append(makePoster(links.poster));
  const body = document.createElement('div');
  body.className = 'card';
  const title = document.createElement('strong');
  title.textContent = highlight.title ?? 'Saved moment';
  const facts = document.createElement('span');
  facts.className = 'quiet';
  const from = span.startMs - (recording.originMs ?? span.startMs);
  facts.textContent = [
    `at ${clockTime(from)}`,
    `${Math.round((span.endMs - span.startMs) / 1000)} s`,
    ...(highlight.requestedBy === null ? [] : [highlight.requestedBy]),
  ].join(' · ');
  body.append(title, facts, makeActions(highlight, from));
  card.append(body);
  return card;
}

function makePoster(url: string): HTMLElement {
  const poster = document.createElement('img');
  poster.className = 'poster';
  poster.src = url;
  poster.alt = '';
  poster.loading = 'lazy';
  return poster;
}

function makeActions(highlight: WatchedHighlight, fromMs: number): HTMLElement {
  const actions = document.createElement('span');
  actions.className = 'actions';
  const show = document.createElement('button');
  show.type = 'button';
  show.textContent = 'Show in recording';
  show.addEventListener('click', () => {
    const video = videoElement();
    video.currentTime = Math.max(0, fromMs / 1000);
    video.scrollIntoView({ behavior: 'smooth' });
  });
  actions.append(show);
  if (highlight.links.mp4 === null) {
    const state = document.createElement('span');
    state.className = 'quiet';
    state.textContent = highlight.state === 'failed' ? 'Clip failed' : 'Clip is being made…';
    actions.append(state);
  } else {
    const download = document.createElement('a');
    download.href = highlight.links.mp4;
    download.textContent = 'Download clip';
    actions.append(download);
  }
  return actions;
}

function badgeKind(state: RecordingState): string {
  if (state === 'failed') return 'failed';
  return isFinal(state) || state === 'queued' || state === 'starting' ? 'calm' : 'live';
}

/** 3 725 000 ms as `1:02:05`. */
function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
