import { createClipPlayer, type ClipPlayer } from '../common/clip-player.ts';
import { make, setText } from '../common/dom.ts';
import { icon } from '../common/icons.ts';
import type { HighlightView } from '../common/page-api.ts';
import { durationText, UNTITLED } from '../common/text.ts';

/** A clip's picture in a list: pressed, it plays where it is. One at a time in a page. */
export type ClipStage = {
  readonly element: HTMLElement;
  update(highlight: HighlightView, isPlayable: boolean): void;
  close(): void;
};

let closePlaying: () => void = () => undefined;

/** `isPlayable` says that its playlist has something; until then the picture waits. */
export function createClipStage(): ClipStage {
  const image = make('img', { className: 'poster', alt: '', decoding: 'async', hidden: true });
  const length = make('span', { className: 'length' });
  const button = make('button', { type: 'button', className: 'play', hidden: true }, icon('play'));
  const waiting = make('span', { className: 'spinner' });
  const stage = make('div', { className: 'stage clip' }, image, waiting, button, length);
  let shown: HighlightView | undefined;
  let player: ClipPlayer | undefined;
  const stop = (): void => {
    player?.close();
    player = undefined;
    delete stage.dataset.playing;
    stage.replaceChildren(image, waiting, button, length);
  };
  const play = (): void => {
    if (shown === undefined) return;
    closePlaying();
    closePlaying = stop;
    const notice = make('p', { className: 'notice', role: 'status' });
    const video = make('video', { controls: true, playsInline: true, tabIndex: 0 });
    stage.dataset.playing = 'true';
    stage.replaceChildren(video, notice);
    player = createClipPlayer(video, {
      autoplay: true,
      onNotice: (text) => setText(notice, text),
    });
    player.show(shown.links);
    video.focus();
  };
  button.addEventListener('click', play);
  return {
    element: stage,
    update(highlight, isPlayable) {
      shown = highlight;
      const { links, window: span, title } = highlight;
      button.ariaLabel = `Play ${title ?? UNTITLED}`;
      button.hidden = !isPlayable;
      waiting.hidden = isPlayable || highlight.state === 'failed';
      setText(length, durationText(span.endMs - span.startMs));
      image.hidden = links.poster === null;
      if (links.poster !== null && image.src !== links.poster) image.src = links.poster;
      player?.show(links);
    },
    close: stop,
  };
}
