import type { Complain } from '../findings.ts';
import type { Box } from './boxes.ts';
import type { Track } from './track.ts';

/** Samples of sound an AAC frame holds; design.md has the sound start at least one frame before the window. */
const AAC_FRAME_SAMPLES = 1024;

/** Checks a track's tables against each other and against mdat. */
export function checkTables(track: Track, mdats: readonly Box[], complain: Complain): void {
  const { counts, samples, kind } = track;
  if (counts.times !== counts.sizes || counts.chunked !== counts.sizes || counts.sizes === 0) {
    const text = `${counts.times} in stts, ${counts.sizes} in stsz, ${counts.chunked} in stsc`;
    complain('mp4-tables', null, `${kind} samples: ${text}`);
  }
  for (const [index, { offset, size, duration }] of samples.entries()) {
    const isInside = mdats.some(
      ({ bodyStart, end }) => offset >= bodyStart && offset + size <= end,
    );
    if (!isInside) complain('mp4-tables', offset, `${kind} sample ${index + 1} is not inside mdat`);
    if (size === 0) complain('mp4-tables', offset, `${kind} sample ${index + 1} is empty`);
    if (duration === 0 && index + 1 < samples.length) {
      complain('mp4-tables', offset, `${kind} sample ${index + 1} has no duration`);
    }
  }
  if (track.hasReordering) complain('mp4-tables', null, `${kind}: ctts moves samples`);
  const sync = track.syncSamples ?? [];
  const isRising = sync.every((number, at) => number > (sync[at - 1] ?? 0));
  if (!isRising || (sync.at(-1) ?? 0) > samples.length) {
    complain('mp4-tables', null, `${kind}: stss does not rise within the samples`);
  }
}

/** Checks that no two samples of the file share a byte. */
export function checkOverlap(tracks: readonly Track[], complain: Complain): void {
  const places = tracks.flatMap(({ samples }) => samples).sort((a, b) => a.offset - b.offset);
  for (const [at, { offset }] of places.entries()) {
    const before = places[at - 1];
    if (before && before.offset + before.size > offset) {
      complain('mp4-tables', offset, 'two samples share bytes');
    }
  }
}

/** Checks edits and durations; `movieTimescale` is that of mvhd. */
export function checkTimes(track: Track, movieTimescale: number, complain: Complain): void {
  const { kind, edits, samples, timescale } = track;
  const sampled = samples.reduce((sum, { duration }) => sum + duration, 0);
  if (track.mediaDuration !== sampled) {
    const text = `mdhd says ${track.mediaDuration}, samples last ${sampled} of 1/${timescale} s`;
    complain('mp4-duration', null, `${kind}: ${text}`);
  }
  if (edits && edits.length !== 1) complain('mp4-edit', null, `${kind}: ${edits.length} edits`);
  if (!edits && kind === 'audio') complain('mp4-edit', null, 'the sound has no edit');
  for (const { mediaTime, rate, duration } of edits ?? []) {
    if (rate !== 1 || mediaTime < 0) {
      complain('mp4-edit', null, `${kind}: media_time ${mediaTime}, rate ${rate}`);
    }
    if (kind === 'audio' && mediaTime < AAC_FRAME_SAMPLES) {
      complain('mp4-edit', null, `the sound starts ${mediaTime} samples before the window`);
    }
    // An edit's duration is in the movie's timescale: what it stands for is known to one such unit.
    const end = mediaTime + ((duration - 1) / movieTimescale) * timescale;
    if (end > sampled) complain('mp4-duration', null, `${kind}: the edit goes past the samples`);
  }
  const presented = presentedDuration(track, movieTimescale);
  if (Math.abs(track.trackDuration - presented) > 1) {
    const text = `tkhd says ${track.trackDuration}, edits ${presented} of 1/${movieTimescale} s`;
    complain('mp4-duration', null, `${kind}: ${text}`);
  }
}

/** How long a track is shown, in units of the movie's timescale. */
export function presentedDuration(track: Track, movieTimescale: number): number {
  if (track.edits) return track.edits.reduce((sum, { duration }) => sum + duration, 0);
  return (track.mediaDuration / track.timescale) * movieTimescale;
}
