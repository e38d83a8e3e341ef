/** The page's element with this id, of the kind asked for; throws when the page has none. */
export function element(id: string): HTMLElement;
export function element<T extends HTMLElement>(id: string, kind: new () => T): T;
export function element(id: string, kind: new () => HTMLElement = HTMLElement): HTMLElement {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no #${id} of kind ${kind.name}`);
  return found;
}

/** A new element with these properties and children. Text stays text: nothing is read as HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Sets text only where it differs, so that screen readers are not told the same again. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Says something to people who hear the page (`#announce`, a polite live region). */
export function announce(text: string): void {
  element('announce').textContent = text;
}

/** Makes the list's children these, touching it only when they differ, so that players go on and focus stays. */
export function setChildren(list: HTMLElement, children: readonly HTMLElement[]): void {
  const isSame =
    list.children.length === children.length && children.every((c, i) => list.children[i] === c);
  if (isSame) return;
  const wanted = new Set<Element>(children);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  // Moving an element that stays would stop its video: only newcomers are inserted, the rest keeps its order.
  children.forEach((child, i) => {
    if (list.children[i] !== child) list.insertBefore(child, list.children[i] ?? null);
  });
}
