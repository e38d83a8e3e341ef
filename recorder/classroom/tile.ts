import type { StreamSource } from '../../src/model/recording.ts';
import type { SourceState } from '../../src/protocol/page.ts';
import { colorOf, element, initial, setText } from './dom.ts';
import type { ClassModel, TileState } from './state.ts';
import { playStream, type StreamPlayer } from './stream-player.ts';

const ROLE_NAMES = { teacher: '老师', tutor: '助教', student: '', screen: '屏幕' } as const;
const NOTES: Record<Exclude<SourceState, 'playing'>, readonly [string, string]> = {
  connecting: ['正在连接…', 'Connecting'],
  reconnecting: ['画面中断，正在重连…', 'No picture — reconnecting'],
};

/** One participant's tile: picture, name and marks. */
export class Tile {
  readonly root: HTMLElement;
  readonly source: StreamSource;
  readonly player: StreamPlayer;
  readonly #video = element('video', 'tile-video');
  readonly #note = element('div', 'tile-note');
  readonly #name: HTMLElement;
  readonly #hand = element('span', 'mark mark-hand', '✋ 举手');
  readonly #speaking = element('span', 'mark mark-speaking', '发言');
  readonly #muted = element('span', 'mark mark-muted', '静音');

  constructor(source: StreamSource, onState: (state: SourceState) => void) {
    this.source = source;
    this.#name = element('span', 'tile-name', source.name);
    this.#video.playsInline = true;
    const role = ROLE_NAMES[source.role];
    const badge = role === '' ? [] : [element('span', `badge badge-${source.role}`, role)];
    const marks = element('span', 'marks', this.#speaking, this.#hand, this.#muted);
    const caption = element('figcaption', 'tile-caption', ...badge, this.#name, marks);
    const picture = element('div', 'tile-picture', this.#video, this.#note);
    this.root = element('figure', 'tile', picture, caption);
    this.#show('connecting');
    this.player = playStream(source, this.#video, (state) => {
      this.#show(state);
      onState(state);
    });
  }

  /** Shows what signalling says about the participant. */
  update(model: ClassModel): void {
    const { participantId } = this.source;
    const participant = model.roster.find((one) => one.participantId === participantId);
    setText(this.#name, participant?.name ?? this.source.name);
    this.#hand.hidden = !model.hands.has(participantId);
    this.#muted.hidden = !(participant?.muted ?? false);
    this.#speaking.hidden = model.spotlight !== participantId;
    this.root.classList.toggle('is-spotlit', model.spotlight === participantId);
  }

  state(): TileState {
    const { decoded, dropped } = this.player.frames();
    const { x, y, width, height } = this.#video.getBoundingClientRect();
    return {
      participantId: this.source.participantId,
      name: this.#name.textContent,
      state: this.player.state(),
      currentTime: this.player.currentTime(),
      decodedFrames: decoded,
      droppedFrames: dropped,
      latencyMs: this.player.latencyMs(),
      box: { x, y, width, height },
    };
  }

  #show(state: SourceState): void {
    this.root.dataset.state = state;
    if (state === 'playing') {
      this.#note.replaceChildren();
      return;
    }
    const avatar = element('span', 'avatar avatar-large', initial(this.source.name));
    avatar.style.background = colorOf(this.source.participantId);
    const [chinese, english] = NOTES[state];
    this.#note.replaceChildren(
      avatar,
      element('strong', '', chinese),
      element('span', '', english),
    );
  }
}
