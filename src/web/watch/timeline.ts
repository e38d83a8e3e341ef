import { element, make, setChildren, setText } from '../common/dom.ts';
import type { HighlightView } from '../common/page-api.ts';
import { clockTime, UNTITLED } from '../common/text.ts';
import { planMarks, type Mark } from './marks.ts';

/** The strip below the picture: where one is, and where the highlights are. */
export type Timeline = {
  update(highlights: readonly HighlightView[], originMs: number): void;
};

/** `seek` is given seconds of the video. */
export function createTimeline(video: HTMLVideoElement, seek: (seconds: number) => void): Timeline {
  const strip = element('timeline');
  const played = make('span', { className: 'played', ariaHidden: 'true' });
  const marks = make('ol', { className: 'marks' });
  strip.replaceChildren(played, marks);
  const buttons = new Map<string, HTMLElement>();
  let latest: { highlights: readonly HighlightView[]; originMs: number } | undefined;

  const makeMark = ({ id }: Mark): HTMLElement => {
    const button = make(
      'button',
      { type: 'button' },
      make('span', { className: 'tip', dir: 'auto' }),
    );
    button.addEventListener('click', () => {
      const highlight = latest?.highlights.find((one) => one.id === id);
      if (highlight === undefined || latest === undefined) return;
      seek((highlight.window.startMs - latest.originMs) / 1000);
    });
    const item = make('li', {}, button);
    item.dataset.highlight = id;
    buttons.set(id, item);
    return item;
  };
  const render = (): void => {
    const durationMs = durationOf(video) * 1000;
    strip.hidden = latest === undefined || durationMs === 0;
    if (latest === undefined || durationMs === 0) return;
    const { highlights, originMs } = latest;
    const items = planMarks(highlights, { originMs, durationMs }).map((mark) => {
      const item = buttons.get(mark.id) ?? makeMark(mark);
      const highlight = highlights.find(({ id }) => id === mark.id);
      const at = clockTime((highlight?.window.startMs ?? originMs) - originMs);
      const name = `${highlight?.title ?? UNTITLED} · ${at}`;
      const tip = item.querySelector<HTMLElement>('.tip');
      if (tip !== null) setText(tip, name);
      item.style.insetInlineStart = `${mark.from * 100}%`;
      item.style.width = `${mark.width * 100}%`;
      // A tip near an edge opens towards the middle.
      item.dataset.side = mark.from < 0.25 ? 'start' : mark.from > 0.75 ? 'end' : 'middle';
      return item;
    });
    setChildren(marks, items);
    played.style.width = `${Math.min(100, (video.currentTime * 1000 * 100) / durationMs)}%`;
  };
  strip.addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('button') !== null) return;
    const { left, width } = strip.getBoundingClientRect();
    seek(((event.clientX - left) / width) * durationOf(video));
  });
  for (const name of ['timeupdate', 'durationchange', 'seeked', 'progress']) {
    video.addEventListener(name, render);
  }
  return {
    update(highlights, originMs) {
      latest = { highlights, originMs };
      render();
    },
  };
}

/** Seconds there are to play; 0 while unknown. A live recording has no end of its own. */
function durationOf({ duration, seekable }: HTMLVideoElement): number {
  if (Number.isFinite(duration)) return duration;
  return seekable.length === 0 ? 0 : seekable.end(seekable.length - 1);
}
