import type { StreamSource } from '../../src/model/recording.ts';
import type { SourceErrorCode, SourceState } from '../../src/model/source-report.ts';
import { colorOf, element, initial, setText } from './dom.ts';
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

/** One participant's tile: picture, name and marks. */
export class Tile {
  readonly root: HTMLElement;
  readonly player: SourcePlayer;
  readonly #picture: HTMLElement;
  readonly #note = element('div', 'tile-note');
  readonly #name: HTMLElement;
  readonly #hand = element('span', 'mark mark-hand', '✋ 举手');
  readonly #speaking = element('span', 'mark mark-speaking', '发言');
  readonly #muted = element('span', 'mark mark-muted', '静音');
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
    this.#name = element('span', 'tile-name', source.name);
    const role = ROLE_NAMES[source.role];
    const badge = role === '' ? [] : [element('span', `badge badge-${source.role}`, role)];
    const marks = element('span', 'marks', this.#speaking, this.#hand, this.#muted);
    const caption = element('figcaption', 'tile-caption', ...badge, this.#name, marks);
    this.#picture = element('div', 'tile-picture', this.#note);
    this.root = element('figure', 'tile', this.#picture, caption);
    this.root.hidden = !this.#isShown;
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

  setShown(isShown: boolean): void {
    this.#isShown = isShown;
    this.root.hidden = !isShown;
    this.player.setShown(isShown);
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
    if (video !== undefined) this.#picture.prepend(video);
  }

  #showState(): void {
    const { state, error } = this.player;
    this.root.dataset.state = state;
    if (state === 'playing') {
      this.#note.replaceChildren();
      return;
    }
    const { name, participantId } = this.source;
    const [chinese, english] =
      state === 'failed' ? ERRORS[error?.code ?? 'no-media'] : NOTES[state];
    const avatar = element('span', 'avatar avatar-large', initial(name));
    avatar.style.background = colorOf(participantId);
    const code = state === 'failed' ? [element('code', '', error?.code ?? '')] : [];
    this.#note.replaceChildren(
      ...(state === 'frozen' ? [] : [avatar]),
      element('strong', '', chinese),
      element('span', '', english),
      ...code,
    );
  }
}
