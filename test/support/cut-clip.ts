import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { ClipAssembly, type AssembledClip } from '../../highlight/clip-assembly.ts';
import type { ClipSegment } from '../../highlight/clip-segment.ts';
import { Gate } from '../../highlight/gate.ts';
import type { ClipWindow } from '../../src/model/highlight.ts';

export type CutClipOptions = {
  readonly originMs: number;
  readonly window: ClipWindow;
  readonly segments: readonly ClipSegment[];
  readonly posterAtMs?: number | undefined;
  /** Folder the clip's file is made in. */
  readonly folder: string;
  readonly fps?: number;
  readonly signal?: AbortSignal | undefined;
  /** Segments up to these numbers are there when it is prepared, one step each. */
  readonly preparedUpTo?: readonly number[];
};

/** Cuts a clip as the highlight role does; the file is the caller's. */
export async function cutClip(options: CutClipOptions): Promise<AssembledClip> {
  const { originMs, window, segments, posterAtMs, folder, fps = 30, signal } = options;
  const assembly = new ClipAssembly({
    file: path.join(folder, `${randomUUID()}.mp4`),
    originMs,
    fps,
    posterAtMs,
    encoders: new Gate(2),
    signal,
  });
  try {
    for (const last of options.preparedUpTo ?? []) {
      const there = segments.filter(({ n }) => n <= last);
      await assembly.prepare({ window, segments: there }, last);
    }
    return await assembly.finish({ window, segments });
  } finally {
    await assembly.discard();
  }
}

/** A segment in memory; every read is told. */
export function segmentInMemory(
  { n, bytes }: { readonly n: number; readonly bytes: Uint8Array },
  onRead: (start: number, end: number) => void = () => undefined,
): ClipSegment {
  const read = (start: number, end: number): Promise<Uint8Array> => {
    onRead(start, end);
    return Promise.resolve(bytes.subarray(start, end));
  };
  return { n, bytes: { length: bytes.length, read } };
}
