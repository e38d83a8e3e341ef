import { createClipStage } from './clip-stage.ts';
import { make, setText } from '../common/dom.ts';
import { icon } from '../common/icons.ts';
import type { HighlightView } from '../common/page-api.ts';
import { shareHighlight } from '../common/share-link.ts';
import { bytesText, clockTime, durationText, UNTITLED } from '../common/text.ts';
import type { Moment } from './moments.ts';
import type { PendingWish, Wish } from './outbox.ts';
import { createTitleEditor } from './title-editor.ts';

/** What a card can ask for. */
export type CardActions = {
  readonly originMs: () => number | null;
  /** Throws with a sentence for people. */
  readonly rename: (highlight: HighlightView, title: string) => Promise<void>;
  readonly retry: (triggerId: string) => void;
  readonly discard: (triggerId: string) => void;
};

/** One saved moment in the panel's list, from the press on. */
export type MomentCard = { readonly element: HTMLElement; update(moment: Moment): void };

/** Makes a card; `update` fills it, and changes only what differs, so that it can be watched and renamed meanwhile. */
export function createMomentCard(actions: CardActions): MomentCard {
  const stage = createClipStage();
  const facts = make('p', { className: 'quiet small facts' });
  const status = make('p', { className: 'small status' });
  const title = createTitleEditor(actions.rename);
  const row = make('div', { className: 'actions' });
  const body = make('div', { className: 'body' }, title.element, facts, status, row);
  const card = make('li', { className: 'moment' }, stage.element, body);
  let buttons: ListedButtons | undefined;
  const say = (text: string, kind: 'busy' | 'good' | 'bad' | ''): void => {
    status.dataset.kind = kind;
    status.hidden = text === '';
    setText(status, text);
  };
  const showWish = ({ title: text, atMs, beforeMs, afterMs }: Wish): void => {
    title.show(text ?? UNTITLED);
    setText(facts, factsText(atMs - beforeMs, beforeMs + afterMs, actions.originMs()));
  };
  const showPending = ({ wish, state, reason }: PendingWish): void => {
    showWish(wish);
    if (state === 'sending') say('Saving…', 'busy');
    else if (state === 'waiting') say('Not saved yet: no connection. Trying again…', 'bad');
    else say(`Could not be saved: ${reason ?? 'the service refuses it'}`, 'bad');
    const wanted = state === 'sending' ? [] : pendingButtons(wish.triggerId, state, actions);
    if (row.dataset.state !== state) row.replaceChildren(...wanted);
    row.dataset.state = state;
  };
  const showListed = (highlight: HighlightView, isPlayable: boolean): void => {
    const { window: span } = highlight;
    card.dataset.highlight = highlight.id;
    title.edit(highlight);
    setText(facts, factsText(span.startMs, span.endMs - span.startMs, actions.originMs()));
    say(...listedStatus(highlight, isPlayable));
    stage.update(highlight, isPlayable);
    if (buttons === undefined) {
      buttons = createListedButtons(() => title.begin());
      delete row.dataset.state;
      row.replaceChildren(...buttons.elements);
    }
    buttons.update(highlight, isPlayable);
  };
  return {
    element: card,
    update(moment) {
      card.dataset.state = moment.state;
      if (moment.state === 'pending') showPending(moment.pending);
      else if (moment.state === 'confirmed') {
        showWish(moment.wish);
        say('Saved. Getting the clip…', 'good');
        row.replaceChildren();
      } else showListed(moment.highlight, moment.isPlayable);
    },
  };
}

function factsText(startMs: number, durationMs: number, originMs: number | null): string {
  const place = originMs === null ? [] : [`at ${clockTime(startMs - originMs)}`];
  return [...place, durationText(durationMs)].join(' · ');
}

/** What is worth saying beside the buttons. */
function listedStatus(
  { state, warnings }: HighlightView,
  isPlayable: boolean,
): [text: string, kind: 'busy' | 'good' | 'bad' | ''] {
  if (state === 'failed') {
    return isPlayable
      ? ['The file could not be made. It can be played as long as the recording is kept.', 'bad']
      : ['This clip could not be made.', 'bad'];
  }
  if (!isPlayable) return ['Saved. Getting the clip…', 'good'];
  if (state !== 'completed') return ['Ready to play. The file follows…', 'good'];
  return [warnings[0] ?? '', ''];
}

function pendingButtons(
  triggerId: string,
  state: PendingWish['state'],
  { retry, discard }: CardActions,
): HTMLElement[] {
  const again = textButton('Try now', () => retry(triggerId));
  return state === 'refused' ? [again, textButton('Remove', () => discard(triggerId))] : [again];
}

type ListedButtons = {
  readonly elements: readonly HTMLElement[];
  update(highlight: HighlightView, isPlayable: boolean): void;
};

function createListedButtons(rename: () => void): ListedButtons {
  let shown: HighlightView | undefined;
  const share = textButton('Share', () => {
    if (shown !== undefined) void shareHighlight(shown);
  });
  share.prepend(icon('share'));
  const pencil = make('button', { type: 'button', onclick: rename });
  pencil.append(icon('pencil'), make('span', { className: 'word', textContent: 'Rename' }));
  const size = make('span', { className: 'word' });
  const download = make('a', { className: 'button' }, icon('download'), size);
  return {
    elements: [share, pencil, download],
    update(highlight, isPlayable) {
      shown = highlight;
      const { links, clip, title } = highlight;
      const name = title ?? UNTITLED;
      share.hidden = !isPlayable;
      share.ariaLabel = `Share ${name}`;
      pencil.ariaLabel = `Rename ${name}`;
      download.hidden = links.download === null;
      download.ariaLabel = `Download ${name}`;
      if (links.download !== null) download.href = links.download;
      if (clip !== null) setText(size, bytesText(clip.bytes));
    },
  };
}

function textButton(text: string, onClick: () => void): HTMLButtonElement {
  const button = make('button', { type: 'button', textContent: text });
  button.addEventListener('click', onClick);
  return button;
}
