import type { SourceReport, SourceState } from '../../../src/model/source-report.ts';
import type { Playback } from './playback.ts';

type Counts = Pick<
  SourceReport,
  | 'freezes'
  | 'frozenMs'
  | 'reconnects'
  | 'failures'
  | 'shownMs'
  | 'decodedFrames'
  | 'droppedFrames'
  | 'packetsLost'
  | 'concealedMs'
>;

const NOTHING: Counts = {
  freezes: 0,
  frozenMs: 0,
  reconnects: 0,
  failures: 0,
  shownMs: 0,
  decodedFrames: 0,
  droppedFrames: 0,
  packetsLost: 0,
  concealedMs: 0,
};

/** Counts for one source's report, over all its playbacks. A freeze counts when it ends by itself: else it was a loss. */
export class SourceTally {
  #counts: Counts = NOTHING;
  #frozenSinceMs: number | undefined;
  #thereSinceMs: number | undefined;
  #hasBeenThere = false;

  get hasBeenThere(): boolean {
    return this.#hasBeenThere;
  }

  /** The source is in this state from now on; called again, nothing changes. */
  enter(state: SourceState, atMs: number): void {
    const isThere = state === 'playing' || state === 'muted' || state === 'frozen';
    if (state === 'frozen') this.#frozenSinceMs ??= atMs;
    else if (this.#frozenSinceMs !== undefined) {
      if (isThere) this.#add({ freezes: 1, frozenMs: atMs - this.#frozenSinceMs });
      this.#frozenSinceMs = undefined;
    }
    if (isThere) {
      this.#hasBeenThere = true;
      this.#thereSinceMs ??= atMs;
    } else if (this.#thereSinceMs !== undefined) {
      this.#add({ shownMs: atMs - this.#thereSinceMs });
      this.#thereSinceMs = undefined;
    }
  }

  /** It was lost while it was there, or a try has failed. */
  lose(wasThere: boolean): void {
    this.#add(wasThere ? { reconnects: 1 } : { failures: 1 });
  }

  /** A playback is closed: what it counted is kept. */
  leave(playback: Playback): void {
    this.#add(countOf(playback));
  }

  read(nowMs: number, playback: Playback | undefined): Counts {
    const open: Partial<Counts> = {
      ...(this.#frozenSinceMs === undefined
        ? {}
        : { freezes: 1, frozenMs: nowMs - this.#frozenSinceMs }),
      ...(this.#thereSinceMs === undefined ? {} : { shownMs: nowMs - this.#thereSinceMs }),
    };
    const present = playback === undefined ? {} : countOf(playback);
    const { frozenMs, shownMs, ...rest } = sum(sum(this.#counts, open), present);
    return { ...rest, frozenMs: Math.round(frozenMs), shownMs: Math.round(shownMs) };
  }

  #add(more: Partial<Counts>): void {
    this.#counts = sum(this.#counts, more);
  }
}

function countOf({ element, losses }: Playback): Partial<Counts> {
  if (!(element instanceof HTMLVideoElement)) return losses();
  const { totalVideoFrames, droppedVideoFrames } = element.getVideoPlaybackQuality();
  return { ...pick(losses()), decodedFrames: totalVideoFrames, droppedFrames: droppedVideoFrames };
}

function pick({ packetsLost, concealedMs }: ReturnType<Playback['losses']>): Partial<Counts> {
  return { packetsLost, concealedMs };
}

function sum(counts: Counts, more: Partial<Counts>): Counts {
  const keys = Object.keys(NOTHING) as (keyof Counts)[];
  return Object.fromEntries(keys.map((key) => [key, counts[key] + (more[key] ?? 0)])) as Counts;
}
