import { make } from './dom.ts';

const SHOWN_MS = 3000;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Says something for a moment, to eyes and to ears; what was said before makes room. */
export function toast(text: string): void {
  const box = region();
  box.replaceChildren(make('p', { className: 'toast', textContent: text }));
  clearTimeout(timer);
  timer = setTimeout(() => box.replaceChildren(), SHOWN_MS);
}

/** A live region must be there before its text for screen readers to say it. */
function region(): HTMLElement {
  const present = document.getElementById('toast');
  if (present !== null) return present;
  const box = make('div', { id: 'toast', role: 'status' });
  document.body.append(box);
  return box;
}
