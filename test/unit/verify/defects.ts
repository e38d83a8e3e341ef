import { buildRecording, rulesOf, verifyRecording, type Recording } from './fixture-recording.ts';
import type { SegmentPlan } from './fixture-stream.ts';
import { editPackets } from './packets.ts';
import { expect, test } from 'vitest';
import type { RuleId } from '../../../src/verify/rules.ts';

/** What a defect does, all rules that name it, and how it is made. */
export type Defect = readonly [title: string, rules: readonly RuleId[], make: () => Recording];

const SPOILT = 'segment-1.ts';

/** Runs the checker on each defect: it names the rules expected, and no other. */
export function testDefects(defects: readonly Defect[]): void {
  test.each(defects)('%s is caught as %j', async (_, rules, make) => {
    expect(rulesOf(await verifyRecording(make()))).toEqual([...rules].sort());
  });
}

/** A recording whose middle segment is planned otherwise. */
export function planned(change: (plan: SegmentPlan) => void): Recording {
  return buildRecording(([, plan]) => {
    if (plan) change(plan);
  });
}

/** A recording with all of its segments planned otherwise. */
export function plannedAll(change: (plan: SegmentPlan) => void): Recording {
  return buildRecording((plans) => {
    for (const plan of plans) change(plan);
  });
}

/** A recording whose middle segment has other packets; `edit` may change them in place. */
export function packets(edit: (packets: Buffer[]) => Buffer[] | undefined): Recording {
  return editPackets(buildRecording(), SPOILT, edit);
}

/** A recording with one place of the playlist replaced. */
export function written(from: string | RegExp, to: string): Recording {
  const recording = buildRecording();
  const playlist = recording.playlist.replace(from, to);
  if (playlist === recording.playlist) throw new Error(`${String(from)} is not in the playlist`);
  return { ...recording, playlist };
}

/** Changes one byte in place. */
export function editByte(
  bytes: Buffer | undefined,
  at: number,
  edit: (byte: number) => number,
): undefined {
  if (!bytes) throw new Error('there is nothing to edit');
  bytes.writeUInt8(edit(bytes.readUInt8(at)) & 255, at);
}
