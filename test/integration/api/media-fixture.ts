import { boundaryAtOrBefore } from '../../../src/model/grid.ts';
import type { Recording } from '../../../src/model/recording.ts';
import type { SegmentEntry } from '../../../src/model/segment.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { sampleEntry, sampleRecording } from '../../support/sample-records.ts';

/** Of recordings that begin about now, somewhat later rather: nothing of them is overdue, however busy the machine is. */
export const RECENT_ORIGIN_MS = boundaryAtOrBefore(Date.now() + 20_000);

let count = 0;

/** An id no other test of this file uses. */
export function mediaRecordingId(): string {
  return `media-${count++}`;
}

/** A running recording that began just now. */
export async function addRecording(
  api: ApiServer,
  id: string,
  change: Partial<Recording> = {},
): Promise<void> {
  const running = { state: 'recording', originMs: RECENT_ORIGIN_MS } as const;
  await api.services.recordings.create(sampleRecording({ id, ...running, ...change }));
}

/** Stores and indexes segment `n`, as a worker would; without bytes only the entry is made. */
export async function addSegment(
  api: ApiServer,
  id: string,
  n: number,
  bytes: string | undefined,
  change: Partial<SegmentEntry> = {},
): Promise<void> {
  const object = objectKeys.segment(id, { n, lane: 0, epoch: 1 });
  if (bytes !== undefined) await api.services.store.putOnce(object, Buffer.from(bytes));
  const place = { object, offset: 0, length: bytes?.length ?? 0 };
  await api.services.segments.append(id, sampleEntry(n, { place, ...change }));
}
