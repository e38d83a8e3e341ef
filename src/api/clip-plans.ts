import { deferred } from '../lifecycle.ts';
import { writeMediaPlaylist } from '../media/playlist.ts';
import type { Highlight } from '../model/highlight.ts';
import type { Recording } from '../model/recording.ts';
import type { RecordingRepository } from '../storage/records/recording-repository.ts';
import type { SegmentIndex, Settled } from '../storage/index/segment-index.ts';
import { planClipPlaylist, windowSegments, type ClipPlan } from './clip-playlist.ts';

/** Of plans that stay as they are: about 400 bytes an entry, 40 MB in all. */
const MAX_KEPT_ENTRIES = 100_000;
/** An origin never changes once it is there. */
const MAX_KEPT_ORIGINS = 10_000;

type Clip = Pick<Highlight, 'id' | 'recordingId' | 'window'>;
type Kept = {
  readonly recordingId: string;
  readonly window: Clip['window'];
  readonly plan: ClipPlan;
};

export type ClipPlansOptions = {
  readonly recordings: Pick<RecordingRepository, 'get'>;
  readonly index: Pick<SegmentIndex, 'readNumbers' | 'subscribe'>;
  /** Lets the index decide about holes above the number decided so far, when there may be some. */
  readonly settle: (recording: Recording, decided: number) => Promise<Settled | undefined>;
};

/** How clips stand over their recordings' segments. A clip whose window is over is read once; of others only the window is read. */
export class ClipPlans {
  readonly #options: ClipPlansOptions;
  /** By highlight; least recently used first. */
  readonly #over = new Map<string, Kept>();
  #keptEntries = 0;
  readonly #origins = new Map<string, number>();
  /** Readings begun in this turn of the event loop: whoever asks in the same turn shares them, and nobody later. */
  readonly #begun = new Map<string, Promise<ClipPlan>>();

  constructor(options: ClipPlansOptions) {
    this.#options = options;
  }

  /** How it stands now. Throws `recording-not-found`. */
  async find(clip: Clip): Promise<ClipPlan> {
    const kept = this.findOver(clip.id);
    if (kept !== undefined && isSame(kept.window, clip.window)) return kept.plan;
    const key = `${clip.id} ${clip.window.startMs} ${clip.window.endMs}`;
    const begun = this.#begun.get(key) ?? this.#read(clip);
    if (!this.#begun.has(key)) {
      this.#begun.set(key, begun);
      setImmediate(() => this.#begun.delete(key));
    }
    return begun;
  }

  /** A clip's plan that was read before and stays as it is. */
  findOver(id: string): Kept | undefined {
    const kept = this.#over.get(id);
    if (kept === undefined) return undefined;
    this.#over.delete(id);
    this.#over.set(id, kept);
    return kept;
  }

  /** The same as `find`, once there is a segment of it or none can come; at the latest after `waitMs`, or when `signal`, asked for only then, aborts. */
  async waitForFirst(
    clip: Clip,
    { waitMs, signal: askSignal }: { readonly waitMs: number; readonly signal: () => AbortSignal },
  ): Promise<ClipPlan> {
    const plan = await this.find(clip);
    if (isAnswer(plan)) return plan;
    const signal = askSignal();
    const end = deferred();
    const timer = setTimeout(end.resolve, waitMs);
    const onAbort = (): void => end.resolve();
    signal.addEventListener('abort', onAbort);
    let changed = deferred();
    const subscribed = this.#options.index.subscribe(clip.recordingId, () => changed.resolve());
    try {
      let isEnded = signal.aborted;
      const ended = end.promise.then(() => void (isEnded = true));
      await Promise.race([subscribed, ended]);
      for (;;) {
        changed = deferred();
        const present = await this.find(clip);
        if (isAnswer(present) || isEnded) return present;
        await Promise.race([changed.promise, ended]);
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      end.resolve();
      subscribed.then((subscription) => subscription.close()).catch(() => undefined);
    }
  }

  forget(id: string): void {
    const kept = this.#over.get(id);
    this.#keptEntries -= kept?.plan.entries.length ?? 0;
    this.#over.delete(id);
  }

  async #read(clip: Clip): Promise<ClipPlan> {
    const { id, recordingId, window } = clip;
    const { index, recordings, settle } = this.#options;
    const known = this.#origins.get(recordingId);
    const recording = known === undefined ? await recordings.get(recordingId) : undefined;
    const originMs = known ?? recording?.originMs ?? null;
    if (originMs === null)
      return planClipPlaylist([], recording ?? (await recordings.get(recordingId)), window);
    this.#keepOrigin(recordingId, originMs);
    const { first, last } = windowSegments(window, originMs);
    let found = await index.readNumbers(recordingId, first, last);
    // Above what is decided its state says whether something can come.
    const present =
      found.decided < last ? (recording ?? (await recordings.get(recordingId))) : undefined;
    if (present !== undefined) {
      const settled = await settle(present, found.decided);
      // Also when it is as before: what was appended between reading both.
      if (settled !== undefined) found = await index.readNumbers(recordingId, first, last);
    }
    const { state } = present ?? { state: 'recording' };
    const plan = planClipPlaylist(
      found.entries,
      { id: recordingId, originMs, state },
      window,
      found.decided,
    );
    if (plan.isOver) this.#keep(id, { recordingId, window, plan });
    return plan;
  }

  #keep(id: string, kept: Kept): void {
    this.forget(id);
    this.#over.set(id, kept);
    this.#keptEntries += kept.plan.entries.length;
    for (const oldest of this.#over.keys()) {
      if (this.#keptEntries <= MAX_KEPT_ENTRIES || oldest === id) return;
      this.forget(oldest);
    }
  }

  #keepOrigin(recordingId: string, originMs: number): void {
    this.#origins.delete(recordingId);
    this.#origins.set(recordingId, originMs);
    for (const oldest of this.#origins.keys()) {
      if (this.#origins.size <= MAX_KEPT_ORIGINS) return;
      this.#origins.delete(oldest);
    }
  }
}

/** There is something to play, or it is known that there never will be. */
function isAnswer({ playlist, isOver }: ClipPlan): boolean {
  return playlist !== undefined || isOver;
}

function isSame(a: Clip['window'], b: Clip['window']): boolean {
  return a.startMs === b.startMs && a.endMs === b.endMs;
}

const texts = new WeakMap<ClipPlan, Buffer>();

/** The text of a clip's playlist, written once. */
export function textOf(plan: ClipPlan, playlist: NonNullable<ClipPlan['playlist']>): Buffer {
  const text = texts.get(plan) ?? Buffer.from(writeMediaPlaylist(playlist));
  texts.set(plan, text);
  return text;
}
