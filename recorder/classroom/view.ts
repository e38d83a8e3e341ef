import {
  DEFAULT_VIEW,
  layoutChoiceOf,
  type ClassLayout,
  type LayoutChoice,
} from '../../src/model/layout.ts';
import type { ClassroomSource } from '../../src/model/recording.ts';
import { ChatPanel } from './chat.ts';
import { element, placeAt, setText, written } from './dom.ts';
import { planGeometry, type Geometry } from './layout/geometry.ts';
import type { LayoutTile } from './layout/who.ts';
import type { ClassModel, SignallingState } from './state.ts';
import { Stage } from './stage.ts';
import type { Tile } from './tile.ts';

export type ViewOptions = {
  readonly onState: (tile: Tile) => void;
  /** Something has another place than before, or is shown no more. */
  readonly onGeometry: (geometry: Geometry) => void;
};

/** The page's parts, each at the place that `planGeometry` gives it: header, tiles, whiteboard and chat. */
export class ClassroomView {
  /** Where the whiteboard is drawn. */
  readonly boardHost = element('div', 'board-host');
  readonly stage: Stage;
  readonly #options: ViewOptions;
  readonly #hasBoard: boolean;
  readonly #chat = new ChatPanel();
  readonly #title = written('h1', 'class-title', '');
  readonly #online = element('span', 'online');
  readonly #live = element('span', 'live');
  readonly #recorded = element(
    'span',
    'recorded',
    'REC',
    element('span', 'recorded-word', '录制中'),
  );
  readonly #clock = element('time', 'class-clock', '00:00:00');
  readonly #link = element('span', 'link', '正在重连课堂… Reconnecting');
  readonly #header: HTMLElement;
  readonly #board: HTMLElement;
  readonly #root: HTMLElement;
  #choice: LayoutChoice;
  /** What signalling says; the platform's choice goes before it. */
  #asked: Pick<ClassModel, 'layout' | 'spotlight'>;
  #placed = '';

  constructor(source: ClassroomSource, model: ClassModel, options: ViewOptions) {
    this.#options = options;
    this.#choice = layoutChoiceOf(source);
    this.#asked = model;
    this.#hasBoard = source.whiteboardUrl !== undefined;
    this.#link.hidden = true;
    this.#recorded.hidden = true;
    this.#header = this.#makeHeader();
    const heading = element('h2', 'panel-title', '白板', element('small', '', 'Whiteboard'));
    this.#board = element('section', 'panel board', heading, this.boardHost);
    this.stage = new Stage({
      onState: options.onState,
      planShown: (tiles) => new Set(this.#plan(tiles).tiles.map(({ name }) => name)),
    });
    const parts = [this.#header, this.stage.root, this.#board, this.#chat.root];
    this.#root = element('main', 'classroom', ...parts);
    document.body.replaceChildren(this.#root);
    this.stage.setSources(source.sources);
    this.update(model);
    addEventListener('resize', () => this.#arrange());
  }

  /** Where things are now. */
  get geometry(): Geometry {
    return this.#plan(this.stage.candidates());
  }

  update(model: ClassModel): void {
    document.title = model.title || 'Classroom';
    setText(this.#title, model.title);
    setText(this.#online, `${model.roster.size} 人在线`);
    const isOver = model.endedAtMs !== null;
    setText(this.#live, isOver ? '已下课' : model.startedAtMs === null ? '未开始' : '上课中 LIVE');
    this.#live.classList.toggle('is-live', !isOver && model.startedAtMs !== null);
    this.#recorded.hidden = model.recording !== 'started';
    this.#asked = model;
    this.#chat.update(model);
    this.tick(model);
  }

  /** Moves the class clock on, and the tiles to who speaks; to be called each second. */
  tick(model: ClassModel): void {
    this.stage.update(model);
    this.#arrange();
    if (model.startedAtMs === null) return;
    const nowMs = model.endedAtMs ?? Date.now() + model.clockOffsetMs;
    setText(this.#clock, formatElapsed(Math.max(0, nowMs - model.startedAtMs)));
  }

  /** Arranges the class as the platform wants it; what it leaves out is the class's own. */
  choose(choice: LayoutChoice): void {
    this.#choice = choice;
    this.#arrange();
  }

  showSignalling(state: SignallingState): void {
    this.#link.hidden = state !== 'reconnecting';
  }

  #arrange(): void {
    const { geometry } = this;
    const placed = JSON.stringify(geometry);
    if (placed === this.#placed) return;
    this.#placed = placed;
    this.#root.dataset.layout = geometry.layout;
    document.documentElement.style.setProperty('--scale', String(geometry.scale));
    placeAt(this.#header, geometry.header);
    placeAt(this.#board, geometry.board);
    placeAt(this.#chat.root, geometry.chat);
    this.stage.place(geometry);
    this.#chat.showNewest();
    this.#options.onGeometry(geometry);
  }

  #plan(tiles: readonly LayoutTile[]): Geometry {
    const { focus = null, view = DEFAULT_VIEW, page = 1 } = this.#choice;
    const layout: ClassLayout = this.#choice.layout ?? this.#asked.layout;
    return planGeometry({
      ...{ layout, view, page, focus, tiles },
      spotlight: this.#asked.spotlight,
      width: innerWidth,
      height: innerHeight,
      hasBoard: this.#hasBoard,
      hasChat: true,
    });
  }

  #makeHeader(): HTMLElement {
    const mark = element('span', 'brand-mark', '▶');
    const right = element('div', 'header-right', this.#link, this.#online, this.#recorded);
    right.append(this.#live, this.#clock);
    return element('header', 'header', mark, this.#title, right);
  }
}

/** Shows a page that says why there is no class to show. */
export function showFailure(message: string): void {
  const text = element('p', '', message);
  const title = element('h1', '', '无法打开课堂 · This classroom cannot be opened');
  document.body.replaceChildren(element('main', 'failure', title, text));
}

function formatElapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
