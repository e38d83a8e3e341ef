import { readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from '../../src/log.ts';
import { hashSegmentCodec } from '../../src/media/mpegts/codec-hash.ts';
import { completeSegment } from '../../src/media/mpegts/complete-segment.ts';
import {
  segmentPts90k,
  segmentStartMs,
  slotTicks,
  TICKS_PER_SECOND,
} from '../../src/model/grid.ts';
import type { RecordingSettings } from '../../src/model/recording.ts';
import type { SegmentEntry } from '../../src/model/segment.ts';
import { syncFolder } from '../../src/folders.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import type { ObjectStore } from '../../src/storage/objects/object-store.ts';
import type { SegmentIndex } from '../../src/storage/index/segment-index.ts';
import type { ClosedSegment } from '../publish/segmenter.ts';
import { writeDurably } from '../publish/spool.ts';
import { spoolSuffix, type SpooledFile } from '../publish/work-folder.ts';

export type SalvageOptions = {
  readonly recordingId: string;
  readonly store: ObjectStore;
  readonly segments: SegmentIndex;
  readonly nowMs: () => number;
  readonly log: Log;
};

/**
 * Publishes a whole segment that its maker did not, as the maker would have: the same name, so that it does no harm when both do. The file is
 * gone afterwards: published, or superseded. Says whether it fills a hole in what was served already.
 */
export async function salvageWhole(
  spooled: SpooledFile,
  { recordingId, store, segments, nowMs, log }: SalvageOptions,
): Promise<'published' | 'late' | 'superseded'> {
  const { file, n, lane, epoch } = spooled;
  const object = objectKeys.segment(recordingId, { n, lane, epoch });
  const stored = await store.find(object);
  const codecHash = hashSegmentCodec(
    stored === undefined ? await readFile(file) : await store.read(object),
  );
  if (codecHash === undefined) {
    log.warn({ event: 'salvage-refused', n, file }, 'a spooled segment is none');
    await rm(file, { force: true });
    return 'superseded';
  }
  const length = stored?.length ?? (await stat(file)).size;
  if (stored === undefined) await store.putOnce(object, { file });
  const entry: SegmentEntry = {
    n,
    lane,
    epoch,
    place: { object, offset: 0, length },
    codecHash,
    publishedAtMs: Math.round(nowMs()),
  };
  const result = await segments.append(recordingId, entry, { isSalvaged: true });
  if (!result.appended) await store.delete(object);
  await rm(file, { force: true });
  log.info({ event: 'salvaged', n, lane, epoch, ...result }, 'found a spooled segment');
  if (!result.appended) return 'superseded';
  return result.late === true ? 'late' : 'published';
}

/**
 * Makes a whole segment of a part that was left in a spool, into the folder of the spool given, to be published under `as`; undefined when
 * nothing can be made of it. The part is removed.
 */
export async function salvagePart(
  spooled: SpooledFile,
  options: {
    readonly settings: Pick<RecordingSettings, 'media' | 'fps'>;
    readonly originMs: number;
    readonly spool: string;
    readonly as: { readonly lane: number; readonly epoch: number };
  },
): Promise<ClosedSegment | undefined> {
  const { settings, originMs, spool, as } = options;
  const { n } = spooled;
  const completed = completeSegment(await readFile(spooled.file), {
    pts90k: segmentPts90k(n),
    slotTicks: settings.media === 'audio' ? undefined : slotTicks(settings.fps),
  });
  if (completed === undefined) {
    await rm(spooled.file, { force: true });
    return undefined;
  }
  const file = path.join(spool, `${String(n).padStart(6, '0')}${spoolSuffix(as)}.ts`);
  await writeDurably(`${file}.new`, completed.bytes);
  await rename(`${file}.new`, file);
  await syncFolder(spool);
  await rm(spooled.file, { force: true });
  const ticks = Math.min(
    completed.soundTicks,
    settings.media === 'audio' ? Infinity : completed.pictureTicks,
  );
  const spanMs = Math.round((ticks * 1000) / TICKS_PER_SECOND);
  return { ...completed.summary, n, startMs: segmentStartMs(n, originMs), file, spanMs };
}
