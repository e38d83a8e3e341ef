import type { ClassroomSource } from '../../src/model/recording.ts';
import { ChatPanel } from './chat.ts';
import { element, setText } from './dom.ts';
import type { ClassModel, SignallingState } from './state.ts';
import { Stage } from './stage.ts';
import type { Tile } from './tile.ts';

/** The page's frame: header, row of tiles, whiteboard and chat. */
export class ClassroomView {
  readonly canvas = element('canvas', 'board-canvas');
  readonly #chat = new ChatPanel();
  readonly #title = element('h1', 'class-title');
  readonly #online = element('span', 'online');
  readonly #live = element('span', 'live');
  readonly #clock = element('time', 'class-clock', '00:00:00');
  readonly #link = element('span', 'link', '正在重连课堂… Reconnecting');
  readonly #root: HTMLElement;
  readonly stage: Stage;

  constructor(source: ClassroomSource, onState: (tile: Tile) => void) {
    this.#link.hidden = true;
    const heading = element('h2', 'panel-title', '白板', element('small', '', 'Whiteboard'));
    const board = element('section', 'panel board', heading, this.canvas);
    if (source.whiteboardUrl === undefined) board.hidden = true;
    const row = element('section', 'tiles');
    this.stage = new Stage(row, onState);
    this.stage.setSources(source.sources);
    this.#root = element('main', 'classroom', this.#header(), row, board, this.#chat.root);
    this.#root.dataset.board = source.whiteboardUrl === undefined ? 'no' : 'yes';
    document.body.replaceChildren(this.#root);
  }

  update(model: ClassModel): void {
    document.title = model.title || 'Classroom';
    setText(this.#title, model.title);
    setText(this.#online, `${model.roster.length} 人在线`);
    const isOver = model.endedAtMs !== null;
    setText(this.#live, isOver ? '已下课' : model.startedAtMs === null ? '未开始' : '上课中 LIVE');
    this.#live.classList.toggle('is-live', !isOver && model.startedAtMs !== null);
    this.#root.dataset.layout = model.layout;
    this.#chat.update(model);
    this.tick(model);
  }

  /** Moves the class clock on, and the tiles to who speaks; to be called each second. */
  tick(model: ClassModel): void {
    this.stage.update(model);
    if (model.startedAtMs === null) return;
    const nowMs = model.endedAtMs ?? Date.now() + model.clockOffsetMs;
    setText(this.#clock, formatElapsed(Math.max(0, nowMs - model.startedAtMs)));
  }

  showSignalling(state: SignallingState): void {
    this.#link.hidden = state !== 'reconnecting';
  }

  #header(): HTMLElement {
    const mark = element('span', 'brand-mark', '▶');
    const right = element('div', 'header-right', this.#link, this.#online, this.#live, this.#clock);
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
