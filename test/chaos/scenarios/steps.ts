import { findChromes, type RunningChrome } from '../chromes.ts';
import type { Stage } from '../stage.ts';

/** Whatever is broken, the recording goes on within this, or the run has failed: the bounds judge, this only gives up. */
export const GOES_ON_TIMEOUT_MS = 150_000;
/** Segments after a break by which it counts as overcome: two may have been under way when it happened. */
export const SEGMENTS_AFTER = 5;

/** The one Chrome that records the lesson. */
export async function theChrome({ fleet, lesson }: Stage): Promise<RunningChrome> {
  const chromes = await findChromes(fleet, lesson.id);
  const [chrome] = chromes;
  if (chrome === undefined || chromes.length > 1)
    throw new Error(`Expected one Chrome that records, found ${chromes.length}`);
  return chrome;
}

/** Waits until the recording has gone on for a while. */
export function untilGoneOn({ lesson }: Stage): Promise<void> {
  return lesson.untilMore(SEGMENTS_AFTER, GOES_ON_TIMEOUT_MS);
}

/** Seconds since a time, Unix ms. */
export function secondsSince(atMs: number): number {
  return (Date.now() - atMs) / 1000;
}
