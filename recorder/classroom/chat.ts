import type { ChatLine, SavedMoment } from '../../src/protocol/signalling.ts';
import { colorOf, element, initial, setText } from './dom.ts';
import type { ClassModel } from './state.ts';

/** The chat: what was said and which moments were saved, newest at the bottom. */
export class ChatPanel {
  readonly root: HTMLElement;
  readonly #lines = element('ol', 'chat-lines');
  readonly #hands = element('span', 'chat-hands');
  readonly #shown = new Map<string, HTMLElement>();

  constructor() {
    const heading = element('h2', 'panel-title', '聊天', element('small', '', 'Chat'));
    this.root = element(
      'aside',
      'panel chat',
      element('div', 'panel-head', heading, this.#hands),
      this.#lines,
    );
  }

  update(model: ClassModel): void {
    const hands = model.roster.filter(({ participantId }) => model.hands.has(participantId)).length;
    this.#hands.hidden = hands === 0;
    setText(this.#hands, `✋ ${hands} 人举手`);
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
    if (added) this.#lines.scrollTop = this.#lines.scrollHeight;
  }

  #remove(key: string, shown: HTMLElement): void {
    shown.remove();
    this.#shown.delete(key);
  }
}

function chatLine(line: ChatLine): HTMLElement {
  const avatar = element('span', 'avatar', initial(line.name));
  avatar.style.background = colorOf(line.participantId);
  const name = element('span', 'chat-name', line.name);
  const time = element('time', 'chat-time', clockTime(line.atMs));
  const who = element('div', 'chat-who', name, time);
  const text = element('p', 'chat-text', line.text);
  return element('li', `chat-line from-${line.role}`, avatar, element('div', '', who, text));
}

function savedMoment(moment: SavedMoment): HTMLElement {
  const title = moment.title === undefined ? '' : `：${moment.title}`;
  return element('li', 'chat-saved', `★ 精彩瞬间已保存 Moment saved${title}`);
}

function clockTime(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
