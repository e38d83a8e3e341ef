import type { StreamSource } from '../../src/model/recording.ts';
import type { SourceErrorCode, SourceState } from '../../src/model/source-report.ts';
import { colorOf, element, initial, placeAt, setText, written } from './dom.ts';
import type { TileSlot } from './layout/tile-grid.ts';
import type { Mixer } from './sound/mixer.ts';
import { SourcePlayer } from './sources/source-player.ts';
import type { ClassModel, TileState } from './state.ts';

const ROLE_NAMES = { teacher: '老师', tutor: '助教', student: '', screen: '屏幕' } as const;
const NOTES: Record<Exclude<SourceState, 'playing' | 'failed'>, readonly [string, string]> = {
  connecting: ['正在连接…', 'Connecting'],
  muted: ['摄像头已关闭', 'Camera off'],
  frozen: ['画面卡住', 'Picture stands'],
  reconnecting: ['画面中断，正在重连…', 'No picture — reconnecting'],
};
const ERRORS: Record<SourceErrorCode, readonly [string, string]> = {
  unreachable: ['无法连接服务器', 'Server unreachable'],
  unauthorized: ['没有权限', 'Not authorised'],
  'not-found': ['找不到该视频流', 'No such stream'],
  'server-error': ['服务器错误', 'Server error'],
  'bad-answer': ['服务器应答无效', 'Answer not understood'],
  'codec-unsupported': ['不支持的编码', 'Codec not supported'],
  'no-connection': ['网络不通', 'No connection'],
  'no-media': ['没有画面和声音', 'Nothing is sent'],
  'bad-media': ['无法解码', 'Cannot be decoded'],
};

/** A narrower tile of the drawing shows its marks without words, CSS pixels. */
const WORDS_FROM_WIDTH = 250;

/** One participant's tile: picture, name and marks. */
export class Tile {
  readonly root: HTMLElement;
  readonly player: SourcePlayer;
  readonly #picture: HTMLElement;
  readonly #note = element('div', 'tile-note');
  /** Seen wherever there is no picture. */
  readonly #face: HTMLElement;
  readonly #name: HTMLElement;
  readonly #hand = mark('hand', '✋', '举手');
  readonly #speaking = mark('speaking', '', '发言');
  readonly #muted = mark('muted', '', '静音');
  #video: HTMLVideoElement | undefined;
  #isShown: boolean;

  constructor(
    source: StreamSource,
    options: {
      readonly mixer: Mixer;
      readonly isShown: boolean;
      readonly onState: (tile: Tile) => void;
    },
  ) {
    this.#isShown = options.isShown;
    this.#name = written('bdi', 'tile-name', source.name);
    const role = ROLE_NAMES[source.role];
    const badge = role === '' ? [] : [element('span', `badge badge-${source.role}`, role)];
    const marks = element('span', 'marks', this.#speaking, this.#hand, this.#muted);
    const caption = element('figcaption', 'tile-caption', ...badge, this.#name, marks);
    this.#face = element('span', 'avatar tile-face', initial(source.name));
    this.#face.style.background = colorOf(source.participantId);
    this.#picture = element('div', 'tile-picture', this.#face, this.#note);
    this.root = element('figure', 'tile', this.#picture, caption);
    this.root.hidden = true;
    this.player = new SourcePlayer(source, this.#isShown, {
      mixer: options.mixer,
      onElement: (video) => this.#showVideo(video),
      onState: () => {
        this.#showState();
        options.onState(this);
      },
    });
    this.#showState();
  }

  get source(): StreamSource {
    return this.player.source;
  }

  get isShown(): boolean {
    return this.#isShown;
  }

  /** Puts it on screen; without a place it is off screen, heard all the same. */
  place(slot: (TileSlot & { readonly isLead: boolean }) | undefined, scale: number): void {
    this.#isShown = slot !== undefined;
    this.player.setShown(this.#isShown);
    placeAt(this.root, slot?.box);
    if (slot === undefined) return;
    this.#picture.style.height = `${slot.picture.height}px`;
    this.root.classList.toggle('is-lead', slot.isLead);
    this.root.classList.toggle('is-small', slot.box.width < WORDS_FROM_WIDTH * scale);
  }

  /** Shows what signalling says about the participant. */
  update(model: ClassModel): void {
    const { participantId } = this.source;
    const participant = model.roster.get(participantId);
    const name = participant?.name ?? this.source.name;
    setText(this.#name, name);
    setText(this.#face, initial(name));
    this.#hand.hidden = !model.hands.has(participantId);
    this.#muted.hidden = !(participant?.muted ?? false);
    this.#speaking.hidden = model.spotlight !== participantId;
    this.root.classList.toggle('is-spotlit', model.spotlight === participantId);
  }

  state(): TileState {
    const { participantId, role, state, decodedFrames, droppedFrames, error } =
      this.player.report();
    const { x, y, width, height } = this.#picture.getBoundingClientRect();
    return {
      participantId,
      role,
      name: this.#name.textContent,
      state,
      error: state === 'playing' ? null : error,
      isShown: this.#isShown,
      currentTime: this.player.currentTime(),
      decodedFrames,
      droppedFrames,
      latencyMs: this.player.latencyMs(),
      box: { x, y, width, height },
    };
  }

  close(): void {
    this.player.close();
    this.root.remove();
  }

  #showVideo(video: HTMLVideoElement | undefined): void {
    this.#video?.remove();
    this.#video = video;
    if (video !== undefined) this.#face.after(video);
  }

  #showState(): void {
    const { state, error } = this.player;
    this.root.dataset.state = state;
    if (state === 'playing') {
      this.#note.replaceChildren();
      return;
    }
    const [chinese, english] =
      state === 'failed' ? ERRORS[error?.code ?? 'no-media'] : NOTES[state];
    const code = state === 'failed' ? [element('code', '', error?.code ?? '')] : [];
    this.#note.replaceChildren(
      element('strong', '', chinese),
      element('span', '', english),
      ...code,
    );
  }
}

/** Said in a word where there is room, else by its sign alone. */
function mark(kind: string, sign: string, word: string): HTMLElement {
  const made = element('span', `mark mark-${kind}`);
  made.title = word;
  made.append(element('i', 'mark-sign', sign), element('span', 'mark-word', word));
  return made;
}
