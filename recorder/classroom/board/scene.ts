import * as Y from 'yjs';
import { findBoardElement, type BoardElement } from '../../../src/protocol/board-element.ts';
import {
  BOARD_HEIGHT,
  BOARD_WIDTH,
  boardFileSchema,
  boardPageSchema,
  boardViewSchema,
  DEFAULT_PAGE,
  elementsName,
  FILES,
  MAX_BOARD_FILES,
  MAX_PAGE_ELEMENTS,
  PAGES,
  STATE,
  VIEW,
  type BoardFile,
  type BoardView,
} from '../../../src/protocol/whiteboard.ts';

/** What a board shows now. */
export type ShownPage = {
  readonly view: BoardView;
  readonly background: string | undefined;
  /** In order of drawing. One that has not changed is the same object as before. */
  readonly elements: readonly BoardElement[];
};

/** Reads a board's document: the page that is shown, checked, and of what changed no more than that. */
export class BoardScene {
  readonly #doc: Y.Doc;
  readonly #state: Y.Map<unknown>;
  readonly #pages: Y.Array<unknown>;
  readonly #files: Y.Map<unknown>;
  readonly #onChange: () => void;
  readonly #knownFiles = new Set<string>();
  #page: PageElements | undefined;
  #badFiles = 0;

  /** `onChange` is called for each change of what is shown, however small. */
  constructor(doc: Y.Doc, onChange: () => void) {
    this.#doc = doc;
    this.#onChange = onChange;
    this.#state = doc.getMap(STATE);
    this.#pages = doc.getArray(PAGES);
    this.#files = doc.getMap(FILES);
    this.#state.observe(onChange);
    this.#pages.observe(onChange);
    this.#files.observe(onChange);
  }

  /** Elements and images left out, since they are not what the schema says. */
  get skipped(): number {
    return (this.#page?.bad ?? 0) + this.#badFiles;
  }

  read(): ShownPage {
    const pages = this.#pages
      .toArray()
      .flatMap((page) => boardPageSchema.safeParse(page).data ?? []);
    const view = boardViewSchema.safeParse(this.#state.get(VIEW)).data ?? {
      ...{ page: pages[0]?.id ?? DEFAULT_PAGE, x: 0, y: 0 },
      ...{ width: BOARD_WIDTH, height: BOARD_HEIGHT },
    };
    const { background } = pages.find(({ id }) => id === view.page) ?? {};
    return { view, background, elements: this.#turnTo(view.page).read() };
  }

  /** Images that have come since the last call. */
  takeNewFiles(): readonly (BoardFile & { readonly id: string })[] {
    const taken: (BoardFile & { id: string })[] = [];
    for (const [id, value] of this.#files) {
      if (this.#knownFiles.has(id)) continue;
      this.#knownFiles.add(id);
      const { data } = boardFileSchema.safeParse(value);
      if (data === undefined || this.#knownFiles.size > MAX_BOARD_FILES) this.#badFiles += 1;
      else taken.push({ id, ...data });
    }
    return taken;
  }

  #turnTo(pageId: string): PageElements {
    const name = elementsName(pageId);
    if (this.#page?.name === name) return this.#page;
    this.#page?.close();
    this.#page = new PageElements(name, this.#doc.getMap(name), this.#onChange);
    return this.#page;
  }
}

class PageElements {
  readonly name: string;
  readonly #map: Y.Map<unknown>;
  readonly #observe: (events: Y.YEvent<Y.AbstractType<unknown>>[]) => void;
  readonly #valid = new Map<string, BoardElement>();
  readonly #invalid = new Set<string>();
  readonly #changed = new Set<string>();
  #ordered: readonly BoardElement[] = [];
  #left = 0;

  constructor(name: string, map: Y.Map<unknown>, onChange: () => void) {
    this.name = name;
    this.#map = map;
    for (const id of map.keys()) this.#changed.add(id);
    this.#observe = (events) => {
      for (const { target, path, keys } of events) {
        // a change inside a growing stroke has the stroke's id first in its path
        if (target === map) for (const id of keys.keys()) this.#changed.add(id);
        else this.#changed.add(String(path[0]));
      }
      onChange();
    };
    map.observeDeep(this.#observe);
  }

  get bad(): number {
    return this.#invalid.size + this.#left;
  }

  close(): void {
    this.#map.unobserveDeep(this.#observe);
  }

  read(): readonly BoardElement[] {
    if (this.#changed.size === 0) return this.#ordered;
    for (const id of this.#changed) this.#check(id);
    this.#changed.clear();
    const all = [...this.#valid.values()].filter(({ isDeleted }) => !isDeleted).sort(byOrder);
    this.#left = Math.max(0, all.length - MAX_PAGE_ELEMENTS);
    this.#ordered = all.slice(0, MAX_PAGE_ELEMENTS);
    return this.#ordered;
  }

  #check(id: string): void {
    this.#valid.delete(id);
    this.#invalid.delete(id);
    if (!this.#map.has(id)) return;
    const value = this.#map.get(id);
    const element = findBoardElement(id, value instanceof Y.AbstractType ? value.toJSON() : value);
    if (element === undefined) this.#invalid.add(id);
    else this.#valid.set(id, element);
  }
}

/** As Excalidraw has it: by index, compared as text; those without one after them, by time. */
function byOrder(a: BoardElement, b: BoardElement): number {
  const [left, right] = [a.index ?? '~', b.index ?? '~'];
  if (left !== right) return left < right ? -1 : 1;
  return (a.updated ?? 0) - (b.updated ?? 0) || (a.id < b.id ? -1 : 1);
}
