import type { LinkRefusal } from '../../protocol/page-data.ts';
import { make } from './dom.ts';
import { refusalText } from './page-data.ts';

/** Leaves nothing of the page but a sentence that says what is wrong with its link. */
export function refuse(refusal: LinkRefusal): void {
  for (const media of document.querySelectorAll('video')) media.pause();
  const mark = make('span', { className: 'mark', textContent: '🔗', ariaHidden: 'true' });
  const text = make('p', { id: 'refusal', textContent: refusalText(refusal) });
  const heading = make('h1', { textContent: 'This link does not open anything' });
  const main = make('main', { className: 'refusal', role: 'alert' }, mark, heading, text);
  document.body.className = 'refused';
  document.body.replaceChildren(main);
}
