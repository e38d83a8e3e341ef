import type { ChatLine, SavedMoment } from '../../src/protocol/signalling.ts';
import { colorOf, element, initial, setText, written } from './dom.ts';
import type { ClassModel } from './state.ts';

/** Hands are a number, and the first names that were raised. */
const NAMED_HANDS = 4;

/** The chat: what was said and which moments were saved, newest at the bottom. */
export class ChatPanel {
  readonly root: HTMLElement;
  readonly #lines = element('ol', 'chat-lines');
  readonly #hands = element('span', 'chat-hands');
  readonly #names = written('p', 'chat-hand-names', '');
  readonly #shown = new Map<string, HTMLElement>();

  constructor() {
    const heading = element('h2', 'panel-title', '聊天', element('small', '', 'Chat'));
    this.root = element(
      'aside',
      'panel chat',
      element('div', 'panel-head', heading, this.#hands),
      this.#names,
      this.#lines,
    );
  }

  update(model: ClassModel): void {
    const hands = [...model.hands].flatMap((id) => model.roster.get(id) ?? []);
    this.#hands.hidden = hands.length === 0;
    setText(this.#hands, `✋ ${hands.length} 人举手`);
    const names = hands.slice(0, NAMED_HANDS).map(({ name }) => name);
    this.#names.hidden = hands.length === 0;
    setText(this.#names, `${names.join('、')}${hands.length > NAMED_HANDS ? ' …' : ''}`);
    const entries = [
      ...model.chat.map((line) => ({ key: `c${line.chatId}`, atMs: line.atMs, line })),
      ...model.highlights.map((m) => ({ key: `h${m.triggerId}`, atMs: m.atMs, moment: m })),
    ].sort((a, b) => a.atMs - b.atMs);
    const keys = new Set(entries.map(({ key }) => key));
    for (const [key, shown] of this.#shown) if (!keys.has(key)) this.#remove(key, shown);
    let added = false;
    for (const entry of entries) {
      if (this.#shown.has(entry.key)) continue;
      const made = 'line' in entry ? chatLine(entry.line) : savedMoment(entry.moment);
      this.#shown.set(entry.key, made);
      this.#lines.append(made);
      added = true;
    }
    if (added) this.showNewest();
  }

  /** The newest line in sight: to be called when the panel's place has changed. */
  showNewest(): void {
    this.#lines.scrollTop = this.#lines.scrollHeight;
  }

  #remove(key: string, shown: HTMLElement): void {
    shown.remove();
    this.#shown.delete(key);
  }
}

function chatLine(line: ChatLine): HTMLElement {
  const avatar = element('span', 'avatar', initial(line.name));
  avatar.style.background = colorOf(line.participantId);
  const name = written('bdi', 'chat-name', line.name);
  const time = element('time', 'chat-time', clockTime(line.atMs));
  const who = element('div', 'chat-who', name, time);
  const text = written('p', 'chat-text', line.text);
  return element('li', `chat-line from-${line.role}`, avatar, element('div', '', who, text));
}

function savedMoment(moment: SavedMoment): HTMLElement {
  const title = moment.title === undefined ? [] : ['：', written('bdi', '', moment.title)];
  return element('li', 'chat-saved', '★ 精彩瞬间已保存 Moment saved', ...title);
}

function clockTime(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
