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

type Card = {
  readonly node: HTMLElement;
  update(highlight: HighlightView, originMs: number | null): void;
};

/** A card stays as long as its highlight, and changes only where that has: posters do not flicker, and buttons do not go from under a finger. */
export function createHighlightList(show: (highlight: HighlightView) => void): HighlightList {
  const cards = new Map<string, Card>();
  return {
    update(highlights, { originMs }) {
      element('no-highlights').hidden = highlights.length > 0;
      const shown = [...highlights].reverse().map((highlight) => {
        const card = cards.get(highlight.id) ?? makeCard(highlight, show);
        cards.set(highlight.id, card);
        card.update(highlight, originMs);
        return card.node;
      });
      setChildren(element('highlights'), shown);
    },
  };
}

function makeCard(first: HighlightView, show: (highlight: HighlightView) => void): Card {
  let latest = first;
  const title = make('h3', { dir: 'auto' });
  const facts = make('p', { className: 'quiet small' });
  const button = make('button', { type: 'button' }, icon('play'), 'Show in recording');
  button.addEventListener('click', () => show(latest));
  const actions = make('div', { className: 'actions' }, button);
  const body = make('div', { className: 'card' }, title, facts, actions);
  const node = make('li', { id: `highlight-${first.id}` }, body);
  let posterUrl: string | null = null;
  let fileVersion = '';
  return {
    node,
    update(highlight, originMs) {
      latest = highlight;
      const { links, state, title: name } = highlight;
      setText(title, name ?? UNTITLED);
      setText(facts, factsOf(highlight, originMs).join(' · '));
      if (links.poster !== null && links.poster !== posterUrl) {
        posterUrl = links.poster;
        node.querySelector('.poster')?.remove();
        node.prepend(
          make('img', { className: 'poster', src: posterUrl, alt: '', loading: 'lazy' }),
        );
      }
      const version = JSON.stringify([links.download, links.mp4, state]);
      if (version === fileVersion) return;
      fileVersion = version;
      for (const old of [...actions.children].slice(1)) old.remove();
      actions.append(...makeFileAction(highlight));
    },
  };
}

function factsOf({ window: span, requestedBy }: HighlightView, originMs: number | null): string[] {
  return [
    ...(originMs === null ? [] : [`at ${clockTime(span.startMs - originMs)}`]),
    durationText(span.endMs - span.startMs),
    ...(requestedBy === null ? [] : [requestedBy]),
  ];
}

/** What can be done with the clip's file, or why nothing can. */
function makeFileAction({ links, state }: HighlightView): HTMLElement[] {
  if (links.download !== null) {
    const download = { className: 'button', href: links.download };
    return [make('a', download, icon('download'), 'Download clip')];
  }
  if (links.mp4 !== null) return [];
  const textContent = state === 'failed' ? 'Clip failed' : 'Clip is being made…';
  return [make('span', { className: 'quiet small', textContent })];
}

function badgeKind(state: RecordingState): string {
  if (state === 'failed') return 'failed';
  return isFinal(state) || state === 'queued' || state === 'starting' ? 'calm' : 'live';
}
