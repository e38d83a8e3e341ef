import { readBeeps, readFlashes } from '../support/flash-beep-reader.ts';
import type { RecordedPage } from '../support/record-page.ts';

/** A beep belongs to the flash it is nearest to, within half their distance of 1 s. */
const PAIR_WITHIN_S = 0.5;

/** A film outlasts its recording: launch, load and the boundaries, s. */
export const FILM_MARGIN_S = 15;
/** Plays `/film.mp4` over the whole window. */
export const FILM_PAGE = `<!doctype html><body style="margin:0;background:#000;overflow:hidden">
<video src="/film.mp4" autoplay style="width:100vw;height:100vh;object-fit:fill"></video>`;

/** How much later than its flash each beep is, ms: positive where sound is late. Throws when there is none. */
export async function measureSync({ playlist }: RecordedPage): Promise<readonly number[]> {
  const flashes = await readFlashes(playlist);
  const beeps = await readBeeps(playlist);
  const offsets = flashes.flatMap((flash) =>
    beeps.map((beep) => beep - flash).filter((offset) => Math.abs(offset) < PAIR_WITHIN_S),
  );
  if (offsets.length === 0) throw new Error(`${playlist}: expected flashes with beeps, found none`);
  return offsets.map((seconds) => seconds * 1000);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
