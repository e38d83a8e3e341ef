import type { Box } from './layout/box.ts';

/** Makes an element with a class and children. Text goes in as text: nothing can become markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

/** Sets an element's text, and touches the page only where it differs. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** First character of a name as people see it: whole, even where it is an emoji of several parts. */
export function initial(name: string): string {
  const [first] = graphemes.segment(name);
  return first?.segment ?? '?';
}

const COLORS = ['#4f63d2', '#0f8b8d', '#c4572e', '#8a4fb8', '#3c7d3a', '#b23a6b'];

/** A participant's colour: the same wherever and whenever they appear. */
export function colorOf(participantId: string): string {
  let hash = 0;
  for (const char of participantId) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return COLORS[hash % COLORS.length] ?? '#4f63d2';
}

/** A name or a line that somebody wrote: text in its own direction, which never reorders what stands around it. */
export function written<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text: string,
): HTMLElementTagNameMap[K] {
  const made = element(tag, className, text);
  made.dir = 'auto';
  return made;
}

/** Puts an element at its place, or hides it where it has none. */
export function placeAt(target: HTMLElement, box: Box | null | undefined): void {
  target.hidden = !box;
  if (!box) return;
  const { style } = target;
  style.left = `${box.x}px`;
  style.top = `${box.y}px`;
  style.width = `${box.width}px`;
  style.height = `${box.height}px`;
}
