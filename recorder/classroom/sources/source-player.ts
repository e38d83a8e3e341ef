import type { StreamSource } from '../../../src/model/recording.ts';
import type { SourceReport, SourceState } from '../../../src/model/source-report.ts';
import type { Mixer } from '../sound/mixer.ts';
import { openPlayback } from './kinds.ts';
import { asSourceError, type SourceError } from './playback.ts';
import { countFrames, FREEZE_MS, isMoving, NO_CAMERA_MS, type Running } from './running.ts';
import { SourceTally } from './source-tally.ts';

/** A source of which nothing at all has come for this long is fetched anew; a file is not live, and may wait for its server. */
const LOST_MS = { whep: 1500, hls: 1500, file: 10_000 } as const;
/** A picture that has stood this long while its sound goes on has been switched off. */
const CAMERA_OFF_MS = 4000;
/** A try that has brought nothing after this is given up: one POST, ICE, DTLS, and a key frame that may be 2 s away. */
const START_TIMEOUT_MS = { whep: 4000, hls: 9000, file: 6000 } as const;
/**
 * Pictures that show that a source is there. Media servers keep the last key picture for whoever comes, though the one who sent
 * it has gone: one picture by WebRTC may be that.
 */
const LIVE_FRAMES = { whep: 2, hls: 1, file: 1 } as const;
/** Pause before the next try, doubling, and up to a quarter more: a source is back on screen within 2 s of its server's return. */
const FIRST_RETRY_MS = 150;
const MAX_RETRY_MS = 800;
/** After so many tries in vain, or at once where trying again is unlikely to help, it is called failed. */
const TRIES_BEFORE_FAILED = 4;
const UNLIKELY: readonly SourceError['code'][] = [
  'unauthorized',
  'not-found',
  'bad-answer',
  'codec-unsupported',
  'bad-media',
];
/** The sound of a playback that is no longer wanted fades before it is closed. */
const FADE_OUT_MS = 50;

export type SourcePlayerOptions = {
  readonly mixer: Mixer;
  readonly onState: (player: SourcePlayer) => void;
  /** The element to be seen, in place of the one before; undefined for none. */
  readonly onElement: (element: HTMLVideoElement | undefined) => void;
};

/**
 * Plays one source for as long as it is wanted: says how it is, and fetches it anew for ever when it is lost. Nothing is carried
 * over from one try to the next, so any kind of restart is survived. `tick` is to be called ten times a second.
 */
export class SourcePlayer {
  readonly #options: SourcePlayerOptions;
  readonly #tally = new SourceTally();
  #source: StreamSource;
  #state: SourceState = 'connecting';
  #error: SourceError | undefined;
  #running: Running | undefined;
  /** The same source with or without its picture, until it plays and takes over. */
  #next: Running | undefined;
  #isShown: boolean;
  #tries = 0;
  /** Where a file was lost, s. */
  #positionS = 0;
  #retry: number | undefined;
  #spokeMs = Number.NEGATIVE_INFINITY;

  constructor(source: StreamSource, isShown: boolean, options: SourcePlayerOptions) {
    this.#source = source;
    this.#isShown = isShown;
    this.#options = options;
    this.#begin();
  }

  get source(): StreamSource {
    return this.#source;
  }

  get state(): SourceState {
    return this.#state;
  }

  /** Why it is away now; undefined while it is there. */
  get error(): SourceError | undefined {
    return isThere(this.#state) ? undefined : this.#error;
  }

  /** When it was last heard to speak, by performance.now(); known of WebRTC only. */
  get spokeMs(): number {
    return this.#spokeMs;
  }

  /** Takes what has changed of the source. Another URL is fetched at once; another token is for the next time. */
  update(source: StreamSource): void {
    const before = this.#source;
    this.#source = source;
    const isElsewhere = source.kind !== before.kind || source.url !== before.url;
    if (isElsewhere || !isThere(this.#state)) this.#restart();
  }

  /** A source that is not shown is heard, but its picture is no longer decoded. */
  setShown(isShown: boolean): void {
    if (isShown === this.#isShown) return;
    this.#isShown = isShown;
    if (this.#running === undefined) return;
    this.#drop(this.#next);
    this.#next = undefined;
    if (this.#running.withPicture === isShown) return;
    // the one that plays goes on until the other does
    this.#next = this.#open((error) => {
      this.#drop(this.#next);
      this.#next = undefined;
      if (isShown) this.#lose(error);
    });
  }

  tick(nowMs: number): void {
    this.#look(this.#next, nowMs);
    if (this.#next !== undefined && isMoving(this.#next, nowMs)) this.#takeOver(this.#next);
    const running = this.#running;
    if (running === undefined) return;
    this.#look(running, nowMs);
    if (running.playback.level() > SPEAKING_LEVEL) this.#spokeMs = nowMs;
    this.#judge(running, nowMs);
  }

  report(): SourceReport {
    const { participantId, role, kind } = this.#source;
    const error = this.#error;
    return {
      participantId,
      role,
      kind,
      state: this.#state,
      error: error?.code ?? null,
      detail: error?.detail.slice(0, 100) ?? null,
      ...this.#tally.read(performance.now(), this.#running?.playback),
    };
  }

  currentTime(): number {
    return this.#running?.playback.element.currentTime ?? 0;
  }

  latencyMs(): number | null {
    return this.#state === 'playing' ? (this.#running?.playback.latencyMs() ?? null) : null;
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#tally.enter('connecting', performance.now());
    this.#drop(this.#running);
    this.#drop(this.#next);
    this.#running = undefined;
    this.#next = undefined;
  }

  #begin(): void {
    try {
      this.#running = this.#open((error) => this.#lose(error));
    } catch (error) {
      queueMicrotask(() => this.#fail(asSourceError(error, 'no-connection')));
      return;
    }
    this.#running.playback.setHeard(true);
    this.#show(this.#running);
  }

  #restart(): void {
    this.close();
    this.#tries = 0;
    this.#positionS = 0;
    this.#become('connecting', performance.now());
    this.#begin();
  }

  #open(onLost: (error: SourceError) => void): Running {
    const { mixer } = this.#options;
    const withPicture = this.#isShown;
    const fromS = this.#running === undefined ? this.#positionS : this.currentTime();
    const playback = openPlayback(this.#source, { withPicture, mixer, onLost, fromS });
    return {
      playback,
      withPicture,
      openedMs: performance.now(),
      frames: 0,
      lastPictureMs: Number.NEGATIVE_INFINITY,
      firstMediaMs: undefined,
    };
  }

  #takeOver(next: Running): void {
    this.#next = undefined;
    this.#drop(this.#running);
    this.#running = next;
    next.playback.setHeard(true);
    this.#show(next);
  }

  #show({ playback: { element }, withPicture }: Running): void {
    const isSeen = withPicture && element instanceof HTMLVideoElement;
    this.#options.onElement(isSeen ? element : undefined);
  }

  #drop(running: Running | undefined): void {
    if (running === undefined) return;
    const { playback } = running;
    this.#tally.leave(playback);
    playback.setHeard(false);
    setTimeout(() => playback.close(), FADE_OUT_MS);
  }

  #look(running: Running | undefined, nowMs: number): void {
    if (running === undefined) return;
    const frames = countFrames(running.playback.element);
    if (frames > running.frames) {
      running.frames = frames;
      if (frames >= LIVE_FRAMES[this.#source.kind]) running.lastPictureMs = nowMs;
    }
    if (isMoving(running, nowMs)) running.firstMediaMs ??= nowMs;
  }

  #judge(running: Running, nowMs: number): void {
    const { playback, firstMediaMs, lastPictureMs, withPicture } = running;
    const flaw = withPicture ? playback.flaw() : undefined;
    if (flaw !== undefined) this.#doWithoutPicture(flaw, nowMs);
    if (firstMediaMs === undefined) {
      const isLate = nowMs - running.openedMs > START_TIMEOUT_MS[this.#source.kind];
      if (isLate) this.#lose(playback.silence());
      return;
    }
    const pictureAgeMs = nowMs - lastPictureMs;
    // Sound is asked for only where the picture does not tell: see whep.ts for what that costs.
    if (pictureAgeMs <= FREEZE_MS) {
      if (flaw === undefined) this.#become('playing', nowMs);
      return;
    }
    const lastSoundMs = playback.lastSoundMs();
    const lostMs = LOST_MS[this.#source.kind];
    const isSounding = nowMs - lastSoundMs < lostMs;
    if (Math.min(pictureAgeMs, nowMs - lastSoundMs) > lostMs) this.#lose(playback.silence());
    else if (flaw !== undefined) return;
    else if (!withPicture || playback.element.ended) {
      this.#become('playing', nowMs);
    } else if (running.frames === 0) {
      if (nowMs - firstMediaMs > NO_CAMERA_MS) this.#doWithoutPicture(undefined, nowMs);
    } else if (pictureAgeMs > CAMERA_OFF_MS && isSounding) this.#become('muted', nowMs);
    else if (this.#state !== 'muted') this.#become('frozen', nowMs, lastPictureMs);
  }

  /** Its sound is heard; its tile says whether the camera is off or cannot be shown. */
  #doWithoutPicture(flaw: SourceError | undefined, nowMs: number): void {
    if (flaw === undefined) this.#become('muted', nowMs);
    else if (this.#error !== flaw || this.#state !== 'failed') {
      this.#error = flaw;
      this.#become('failed', nowMs);
    }
  }

  #lose(error: SourceError): void {
    if (this.#running !== undefined) this.#fail(error);
  }

  #fail(error: SourceError): void {
    this.#tally.lose(isThere(this.#state));
    this.#positionS = this.currentTime();
    this.#drop(this.#running);
    this.#drop(this.#next);
    this.#running = undefined;
    this.#next = undefined;
    this.#tries += 1;
    this.#error = error;
    const isHopeless = UNLIKELY.includes(error.code) || this.#tries >= TRIES_BEFORE_FAILED;
    const away = this.#tally.hasBeenThere ? 'reconnecting' : 'connecting';
    this.#become(isHopeless ? 'failed' : away, performance.now());
    const backoffMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#tries - 1));
    // so that a class does not come back as one
    const pauseMs = backoffMs * (1 + Math.random() / 4);
    this.#retry = setTimeout(() => this.#begin(), Math.max(pauseMs, error.retryAfterMs ?? 0));
  }

  #become(state: SourceState, nowMs: number, sinceMs = nowMs): void {
    if (isThere(state)) this.#tries = 0;
    this.#tally.enter(state, state === 'frozen' ? sinceMs : nowMs);
    if (state === this.#state && !(state === 'failed')) return;
    this.#state = state;
    this.#options.onState(this);
  }
}

/** Loudness (0 to 1) from which somebody is speaking: −40 dB. */
const SPEAKING_LEVEL = 0.01;

function isThere(state: SourceState): boolean {
  return state === 'playing' || state === 'muted' || state === 'frozen';
}
