import { isFinal, type RecordingState } from '../../model/recording.ts';
import { element, make, setChildren, setText } from '../common/dom.ts';
import { icon } from '../common/icons.ts';
import type { HighlightView, RecordingView } from '../common/page-api.ts';
import { clockTime, dateText, durationText, UNTITLED } from '../common/text.ts';

const STATE_WORDS: Readonly<Record<RecordingState, string>> = {
  queued: 'Waiting',
  starting: 'Starting',
  recording: 'Live',
  stopping: 'Ending',
  completed: 'Recorded',
  failed: 'Interrupted',
};

/** Title, badge and the line below. */
export function renderFacts(recording: RecordingView): void {
  setText(element('title'), recording.title);
  document.title = `${recording.title} · Chalkreel`;
  const badge = element('badge');
  badge.hidden = false;
  setText(badge, STATE_WORDS[recording.state]);
  badge.dataset.kind = badgeKind(recording.state);
  const startedAtMs = recording.originMs ?? recording.createdAtMs;
  const length = recording.progress?.recordedMs;
  const facts = [dateText(startedAtMs), ...(length === undefined ? [] : [clockTime(length)])];
  setText(element('facts'), facts.join(' · '));
}

/** The button that saves the whole lesson, once there is a whole and the link allows it. */
export function renderLessonDownload({ links, rights, originMs }: RecordingView): void {
  const button = element('download', HTMLAnchorElement);
  const isThere = links.mp4 !== null && originMs !== null && rights.includes('download');
  button.hidden = !isThere;
  if (!isThere || button.href !== '') return;
  button.href = `${links.mp4}?download=1`;
  button.replaceChildren(icon('download'), 'Download lesson');
}

/** Shows the list, newest first. `show` is called for one whose place in the recording is asked for. */
export type HighlightList = {
  update(highlights: readonly HighlightView[], recording: RecordingView): void;
};

/** Cards are made anew only when they change, so that posters do not flicker and focus stays. */
export function createHighlightList(show: (highlight: HighlightView) => void): HighlightList {
  const cards = new Map<string, { readonly version: string; readonly card: HTMLElement }>();
  return {
    update(highlights, { originMs }) {
      element('no-highlights').hidden = highlights.length > 0;
      const shown = [...highlights].reverse().map((highlight) => {
        const version = JSON.stringify([highlight, originMs]);
        const old = cards.get(highlight.id);
        if (old?.version === version) return old.card;
        const card = makeCard(highlight, { originMs, show });
        cards.set(highlight.id, { version, card });
        return card;
      });
      setChildren(element('highlights'), shown);
    },
  };
}

function makeCard(
  highlight: HighlightView,
  { originMs, show }: { originMs: number | null; show: (highlight: HighlightView) => void },
): HTMLElement {
  const { links, window: span, title, requestedBy } = highlight;
  const facts = [
    ...(originMs === null ? [] : [`at ${clockTime(span.startMs - originMs)}`]),
    durationText(span.endMs - span.startMs),
    ...(requestedBy === null ? [] : [requestedBy]),
  ];
  const body = make(
    'div',
    { className: 'card' },
    make('h3', { dir: 'auto', textContent: title ?? UNTITLED }),
    make('p', { className: 'quiet small', textContent: facts.join(' · ') }),
    makeActions(highlight, show),
  );
  const card = make('li', { id: `highlight-${highlight.id}` });
  if (links.poster !== null) {
    card.append(make('img', { className: 'poster', src: links.poster, alt: '', loading: 'lazy' }));
  }
  card.append(body);
  return card;
}

function makeActions(
  highlight: HighlightView,
  show: (highlight: HighlightView) => void,
): HTMLElement {
  const { links, state } = highlight;
  const button = make('button', { type: 'button' }, icon('play'), 'Show in recording');
  button.addEventListener('click', () => show(highlight));
  const actions = make('div', { className: 'actions' }, button);
  if (links.download !== null) {
    const download = { className: 'button', href: links.download };
    actions.append(make('a', download, icon('download'), 'Download clip'));
  } else if (links.mp4 === null) {
    const textContent = state === 'failed' ? 'Clip failed' : 'Clip is being made…';
    actions.append(make('span', { className: 'quiet small', textContent }));
  }
  return actions;
}

function badgeKind(state: RecordingState): string {
  if (state === 'failed') return 'failed';
  return isFinal(state) || state === 'queued' || state === 'starting' ? 'calm' : 'live';
}
