import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { readSegment, type SegmentMedia } from '../../../src/media/mpegts/segment-reader.ts';
import { createSegmentWriter } from '../../../src/media/mpegts/segment-writer.ts';
import { SEGMENT_MS, segmentPts90k, SEGMENT_TICKS, slotTicks } from '../../../src/model/grid.ts';
import type { Resources } from '../../../src/lifecycle.ts';
import { barcodePage } from '../../support/barcode-page.ts';
import { servePages } from '../../support/page-server.ts';
import { recordPage } from '../../support/record-page.ts';

export const FPS = 30;
/** A tone whose period (109 samples) is longer than any shift that is looked for. */
const TONE_HZ = 441;

/** What a real recorder captured of the barcode page, segment by segment, to be repeated on the grid. */
export type Captured = { readonly segments: readonly SegmentMedia[] };

/** Records the barcode page for so many segments; the first, with the lead-in, and the last are left out. */
export async function capture(
  count: number,
  { folder, resources }: { readonly folder: string; readonly resources: Resources },
): Promise<Captured> {
  const page = barcodePage({ fps: FPS, toneHz: TONE_HZ, flashAndBeep: true });
  const pages = resources.use(await servePages({ '/barcode': page }));
  const recorded = await recordPage({
    url: `${pages.url}/barcode`,
    folder: path.join(folder, 'captured'),
    seconds: ((count + 2) * SEGMENT_MS) / 1000,
  });
  const files = recorded.segments.slice(1, 1 + count);
  if (files.length < count) throw new Error(`captured ${files.length} of ${count} segments`);
  const segments = await Promise.all(files.map(async (file) => readSegment(await readFile(file))));
  return { segments };
}

/** Segment `n` of the repeated recording: the captured pictures and sound, stamped anew. */
export function restamp({ segments }: Captured, n: number): Buffer {
  const media = segments[n % segments.length];
  if (media === undefined) throw new Error('nothing was captured');
  const chunks: Uint8Array[] = [];
  const writer = createSegmentWriter({
    pts90k: segmentPts90k(n),
    slotTicks: slotTicks(FPS),
    write: (packets) => chunks.push(packets),
  });
  for (const { offset90k, isKey, data } of picturesOf(media)) {
    writer.writeVideo({ offset90k, isKey, data });
  }
  for (const { data } of media.audioFrames) writer.writeAudio(data);
  writer.finish();
  return Buffer.concat(chunks);
}

/** A captured segment's pictures with their places in it. */
export function picturesOf(media: SegmentMedia): readonly {
  readonly offset90k: number;
  readonly isKey: boolean;
  readonly data: Uint8Array;
}[] {
  const start = media.pictures[0]?.pts90k ?? 0;
  return media.pictures.map(({ pts90k, isKey, data }) => {
    const offset90k = (pts90k - start + 2 ** 33) % 2 ** 33;
    if (offset90k >= SEGMENT_TICKS) throw new Error('a picture lies outside its segment');
    return { offset90k, isKey, data };
  });
}
