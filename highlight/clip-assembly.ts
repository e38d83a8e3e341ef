import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from '../src/log.ts';
import { SEGMENT_MS } from '../src/model/grid.ts';
import type { ClipWindow } from '../src/model/highlight.ts';
import { readAhead } from '../src/read-ahead.ts';
import { isSameBlock, planBlocks, type ClipBlock } from './clip-blocks.ts';
import { ClipFile } from './clip-file.ts';
import { makeHead, type ClipHead } from './clip-head.ts';
import { ClipSources, UntrueIndex, type ClipSegment } from './clip-segment.ts';
import { ClipWriter, copiedRefs } from './clip-writer.ts';
import { planCut, type CutPlan, type CutWindow, type PictureRef } from './cut-plan.ts';
import type { Gate } from './gate.ts';
import { headerRoom } from './header-room.ts';
import { drawPoster } from './poster.ts';

export type ClipAssemblyOptions = {
  /** The clip's file while it is made; its folder is made where it is missing. */
  readonly file: string;
  /** The recording's origin, Unix ms. */
  readonly originMs: number;
  /** Pictures a second at most: how much room the header gets. */
  readonly fps: number;
  /** Unix ms; moved into the window. Default: the window's start. */
  readonly posterAtMs?: number | undefined;
  /** Programs that encode wait their turn here. */
  readonly encoders: Gate;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
};

/** What a clip is cut from. */
export type ClipCut = {
  /** Unix ms, whole. Must lie within the recording: see `clampWindow`. */
  readonly window: ClipWindow;
  /**
   * In order of `n`: the ones that overlap the window, the one before (for the sound's first frame, where there is one), and
   * where the window starts in a hole the last one before it.
   */
  readonly segments: readonly ClipSegment[];
};

export type AssembledClip = {
  /** A fast-start MP4; whoever takes it removes it. */
  readonly file: string;
  /** Bytes. */
  readonly length: number;
  /** JPEG; null when there is only sound. */
  readonly poster: Buffer | null;
  readonly durationMs: number;
  readonly pictures: { readonly reencoded: number; readonly copied: number };
  /** How segments were taken apart: by their access-unit index, or by parsing for want of one. */
  readonly segments: { readonly indexed: number; readonly parsed: number };
  /** Spans without media, ms from the recording's origin. */
  readonly holes: readonly CutWindow[];
};

/** Blocks read ahead of the one that is written. */
const READ_AHEAD = 4;

/** What has been made for a window so far. */
type Progress = {
  readonly window: ClipWindow;
  readonly sources: ClipSources;
  readonly writer: ClipWriter;
};

/** Something made in the background, once for each list of pictures. */
type Made<T> = { readonly key: string; readonly result: Promise<T> };

/**
 * Cuts a window out of a recording's segments, exact to the frame: pictures from the first key picture on are copied, what comes before it is
 * encoded anew, sound is copied with one exact edit. `prepare` does what can be done while segments are still to come: head, poster, and the
 * file up to there; `finish` does the rest. An equal cut gives an equal file, however it was prepared. Throws `clip-window-invalid`,
 * `clip-without-picture`, `media-invalid`, errors of `runFfmpeg` and of the file system; the signal's reason when aborted.
 */
export class ClipAssembly {
  readonly #options: ClipAssemblyOptions;
  readonly #untrue = new Set<number>();
  #progress: Progress | undefined;
  #head: Made<ClipHead> | undefined;
  #poster: Made<Buffer> | undefined;

  constructor(options: ClipAssemblyOptions) {
    this.#options = options;
  }

  /** Does all it can with the segments up to and with number `last`, which are decided. */
  async prepare(cut: ClipCut, last: number): Promise<void> {
    const untilMs = this.#options.originMs + (last + 1) * SEGMENT_MS;
    const window = { ...cut.window, endMs: Math.min(cut.window.endMs, untilMs) };
    if (window.endMs <= window.startMs) return;
    await this.#trusting(async () => {
      const { writer } = await this.#advance(cut, window);
      await writer.file.sync();
    });
  }

  /** Makes the clip whole. Its file is the caller's from then on. */
  async finish(cut: ClipCut): Promise<AssembledClip> {
    const { originMs, fps } = this.#options;
    return this.#trusting(async () => {
      const { plan, sources, writer } = await this.#advance(cut, cut.window);
      const poster = await this.#makePoster(plan, sources);
      await writer.finish(
        plan,
        cut.window.startMs,
        headerRoom(relative(cut.window, originMs), fps),
      );
      this.#progress = undefined;
      return {
        file: writer.file.path,
        length: writer.file.length,
        poster,
        durationMs: cut.window.endMs - cut.window.startMs,
        pictures: { reencoded: plan.head?.pictures.length ?? 0, copied: plan.body.length },
        segments: sources.count(cut.segments),
        holes: plan.holes,
      };
    });
  }

  /** Forgets what has been made. */
  async discard(): Promise<void> {
    await this.#progress?.writer.file.discard();
    this.#progress = undefined;
  }

  /** Plans again, with that segment parsed, when one is not what its index says. */
  async #trusting<T>(step: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await step();
      } catch (error) {
        if (!(error instanceof UntrueIndex) || this.#untrue.has(error.n)) throw error;
        this.#options.log?.warn({ n: error.n }, 'segment is not what its index says: parsed');
        this.#untrue.add(error.n);
        await this.discard();
      }
    }
  }

  /** Writes all blocks of the window up to its end, which may be a part of the cut's window. */
  async #advance(
    cut: ClipCut,
    window: ClipWindow,
  ): Promise<{ plan: CutPlan; sources: ClipSources; writer: ClipWriter }> {
    const { originMs, posterAtMs, signal } = this.#options;
    const { sources, writer } = await this.#begin(cut.window);
    const segments = await sources.open(cut.segments, signal);
    const within = relative(window, originMs);
    const posterMs = posterAtMs === undefined ? undefined : Math.floor(posterAtMs) - originMs;
    const plan = planCut({ window: within, segments, posterAtMs: posterMs });
    const blocks = planBlocks(plan, within);
    if (!writer.blocks.every((block, i) => isPlanned(block, blocks[i]))) {
      await this.discard();
      return this.#advance(cut, window);
    }
    // Its moment may still be to come.
    if (posterMs === undefined || posterMs < within.endMs) void this.#makePoster(plan, sources);
    await this.#write(plan, blocks.slice(writer.blocks.length));
    return { plan, sources, writer };
  }

  async #begin(window: ClipWindow): Promise<Progress> {
    const { file, fps, originMs } = this.#options;
    const known = this.#progress;
    if (known?.window.startMs === window.startMs && known.window.endMs === window.endMs) {
      return known;
    }
    await this.discard();
    await mkdir(path.dirname(file), { recursive: true });
    const room = headerRoom(relative(window, originMs), fps);
    const writer = new ClipWriter(await ClipFile.open(file, room));
    this.#progress = { window, sources: new ClipSources(this.#untrue), writer };
    return this.#progress;
  }

  async #write(plan: CutPlan, blocks: readonly ClipBlock[]): Promise<void> {
    const { signal } = this.#options;
    const progress = this.#progress;
    if (progress === undefined || blocks.length === 0) return;
    const { sources, writer } = progress;
    const head = blocks.some(({ reencoded }) => reencoded > 0)
      ? this.#makeHead(plan, sources)
      : undefined;
    const reads = blocks.map((block) => () => {
      const { pictures, frames } = copiedRefs(block);
      return sources.read(pictures, frames);
    });
    let next = 0;
    for await (const media of readAhead(reads, READ_AHEAD)) {
      signal?.throwIfAborted();
      const block = blocks[next++];
      if (block !== undefined) await writer.append(block, media, await head);
    }
  }

  #makeHead({ head }: CutPlan, sources: ClipSources): Promise<ClipHead> | undefined {
    if (head === null) return undefined;
    const { encoders, signal, log } = this.#options;
    const { decode, skip } = head;
    this.#head = makeOnce(this.#head, `${skip} ${keyOf(decode)}`, async () => {
      const { picture } = await sources.read(decode, []);
      return encoders.run(() => makeHead(decode.map(picture), { skip, signal, log }));
    });
    return this.#head.result;
  }

  #makePoster({ poster }: CutPlan, sources: ClipSources): Promise<Buffer | null> {
    if (poster.length === 0) return Promise.resolve(null);
    const { encoders, signal, log } = this.#options;
    this.#poster = makeOnce(this.#poster, keyOf(poster), async () => {
      const { picture } = await sources.read(poster, []);
      return encoders.run(() => drawPoster(poster.map(picture), { signal, log }));
    });
    return this.#poster.result;
  }
}

function relative({ startMs, endMs }: ClipWindow, originMs: number): CutWindow {
  return { startMs: startMs - originMs, endMs: endMs - originMs };
}

function isPlanned(written: ClipBlock, planned: ClipBlock | undefined): boolean {
  return planned !== undefined && isSameBlock(written, planned);
}

function keyOf(refs: readonly PictureRef[]): string {
  return refs.map(({ n, index }) => `${n}.${index}`).join(' ');
}

/** What was made before from the same pictures; begun now otherwise. A failure is thrown where it is waited for. */
function makeOnce<T>(known: Made<T> | undefined, key: string, make: () => Promise<T>): Made<T> {
  if (known?.key === key) return known;
  const result = make();
  result.catch(() => undefined);
  return { key, result };
}
