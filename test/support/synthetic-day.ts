import { joinAnnexB } from '../../src/media/h264.ts';
import { createSegmentWriter } from '../../src/media/mpegts/segment-writer.ts';
import { writeMediaPlaylist } from '../../src/media/playlist.ts';
import { SEGMENT_MS, segmentPts90k, segmentStartMs, slotTicks } from '../../src/model/grid.ts';
import type { Report } from '../../src/verify/findings.ts';
import { verifyPlaylist } from '../../src/verify/verify-playlist.ts';
import { fixturePictures, fixtureSound } from '../unit/verify/fixture-stream.ts';

/** A multiple of 1600 ms. */
const ORIGIN_MS = 1_772_000_000_000;
const FPS = 30;
const ADTS_HEADER_BYTES = 7;
/** The fixture has three GOPs of one segment each. */
const PARTS = 3;

/** Segments of a day: what the grid's arithmetic must bear. */
export const SEGMENTS_OF_A_DAY = 54_000;

/** Writes segment `n` as the product does, of pictures and sound made beforehand, whatever its number. */
export function writeSyntheticSegment(n: number, ptsOrigin90k: number): Buffer {
  const packets: Uint8Array[] = [];
  const writer = createSegmentWriter({
    pts90k: segmentPts90k(n, ptsOrigin90k),
    slotTicks: slotTicks(FPS),
    write: (bytes) => packets.push(bytes),
  });
  const part = n % PARTS;
  for (const [slot, unit] of PICTURES.slice(part * 48, (part + 1) * 48).entries()) {
    writer.writeVideo({ offset90k: slot * slotTicks(FPS), isKey: slot === 0, data: unit });
  }
  for (const frame of SOUND.slice(part * 75, (part + 1) * 75)) writer.writeAudio(frame);
  writer.finish();
  return Buffer.concat(packets);
}

const PICTURES = fixturePictures.map((nals) => joinAnnexB(nals));
const SOUND = fixtureSound.map((frame) => frame.subarray(ADTS_HEADER_BYTES));

/** Has the independent checker judge `count` segments from `first` on, which are written as it asks for them. */
export function verifySynthetic(options: {
  readonly first: number;
  readonly count: number;
  readonly ptsOrigin90k: number;
}): Promise<Report> {
  const { first, count, ptsOrigin90k } = options;
  const segments = Array.from({ length: count }, (_, i) => ({
    uri: String(first + i),
    startMs: segmentStartMs(first + i, ORIGIN_MS),
    durationMs: SEGMENT_MS,
  }));
  const text = writeMediaPlaylist({ mediaSequence: first, type: 'VOD', ended: true, segments });
  const readObject = (uri: string): Promise<Uint8Array> =>
    Promise.resolve(writeSyntheticSegment(Number(uri), ptsOrigin90k));
  return verifyPlaylist(text, { readObject }, { name: 'day', ptsOrigin: ptsOrigin90k });
}
