import type { Complain } from './findings.ts';
import type { SegmentFacts } from './segment.ts';
import { SEGMENT_TICKS, mostCommon, ticksBetween, wrapTicks } from './ticks.ts';
import { checkLead } from './transport/clock.ts';
import { checkPictureFormat } from './video/picture-format.ts';

/** A segment that was read, in its place: `n` is its number in the playlist. */
export type PlacedSegment = {
  readonly name: string;
  readonly n: number;
  readonly isDiscontinuous: boolean;
  readonly facts: SegmentFacts;
  readonly complain: Complain;
};

/** What is the same for the whole recording; undefined where nothing tells. */
export type Grid = {
  readonly ptsOrigin: number | undefined;
  readonly fps: number | undefined;
  readonly leadTicks: number | undefined;
};

/** Rates whose slots are whole ticks and fill a segment exactly, as design.md lists them. */
export const GRID_RATES = [10, 15, 20, 25, 30, 50, 60] as const;
/** No longer without a picture than 200 ms. */
const LONGEST_PICTURE_GAP_TICKS = 18_000;
const AUDIO_FRAME_TICKS = 1_920;
const AUDIO_FRAMES = 75;

type Given = { readonly fps?: number | undefined; readonly ptsOrigin?: number | undefined };

/** Finds what most of the segments agree on, so that the few that do not are the ones named. */
export function inferGrid(segments: readonly PlacedSegment[], given: Given): Grid {
  const ptsOrigin = given.ptsOrigin ?? inferOrigin(segments);
  const leads = segments.flatMap(({ facts }) => facts.clock.flatMap((s) => s.leadTicks ?? []));
  const fps = given.fps ?? (ptsOrigin === undefined ? undefined : inferRate(segments, ptsOrigin));
  return { ptsOrigin, fps, leadTicks: mostCommon(leads) };
}

/** The B, in 90 kHz ticks, that the first PTS of most segments speak for. */
export function inferOrigin(segments: readonly PlacedSegment[]): number | undefined {
  const origins = segments.flatMap(({ n, facts }) => {
    const first = firstPts(facts);
    return first === undefined ? [] : [wrapTicks(first - SEGMENT_TICKS * n)];
  });
  return mostCommon(origins);
}

function firstPts(facts: SegmentFacts): number | undefined {
  return facts.pictures ? facts.pictures.list[0]?.pts : facts.audio[0]?.pts;
}

/** The lowest rate whose slots explain the most pictures. */
function inferRate(segments: readonly PlacedSegment[], ptsOrigin: number): number | undefined {
  const offsets = segments.flatMap(({ n, facts }) =>
    (facts.pictures?.list ?? []).map(({ pts }) =>
      ticksBetween(wrapTicks(ptsOrigin + SEGMENT_TICKS * n), pts),
    ),
  );
  if (offsets.length === 0) return undefined;
  const explained = GRID_RATES.map(
    (fps) => offsets.filter((at) => at % (90_000 / fps) === 0).length,
  );
  return GRID_RATES[explained.indexOf(Math.max(...explained))];
}

/** Checks one segment against the grid of its recording. */
export function checkOnGrid(segment: PlacedSegment, grid: Grid): void {
  const { facts, complain, n } = segment;
  const first = firstPts(facts);
  if (first === undefined || grid.ptsOrigin === undefined) {
    complain('pts-first', 0, 'there is no picture and no sound with a PTS');
    return;
  }
  const due = wrapTicks(grid.ptsOrigin + SEGMENT_TICKS * n);
  const start = checkStart(segment, { first, due }, grid);
  checkLead(facts.clock, { start, lead: grid.leadTicks }, complain);
  if (facts.pictures) checkPictures(segment, start, grid);
  checkAudio(facts, start, complain);
}

/** Says what a wrong first PTS means, and returns the start that the rest is measured from. */
function checkStart(
  { facts, complain, n }: PlacedSegment,
  { first, due }: { first: number; due: number },
  { fps }: Grid,
): number {
  const late = ticksBetween(due, first);
  const offset = facts.pictures?.list[0]?.offset ?? facts.audio[0]?.offset ?? 0;
  const audioLate = ticksBetween(due, facts.audio[0]?.pts ?? first);
  if (late === 0) return due;
  if (late % SEGMENT_TICKS === 0) {
    complain('entry-order', offset, `holds segment ${n + late / SEGMENT_TICKS}, expected ${n}`);
    return first;
  }
  if (facts.pictures && audioLate % SEGMENT_TICKS === 0 && audioLate !== 0) {
    complain(
      'entry-order',
      offset,
      `holds segment ${n + audioLate / SEGMENT_TICKS}, expected ${n}`,
    );
    return wrapTicks(due + audioLate);
  }
  const isLaterSlot = fps !== undefined && late > 0 && late % (90_000 / fps) === 0;
  if (facts.pictures && isLaterSlot && audioLate === 0) {
    complain('first-slot', offset, `the first picture is ${late} ticks late`);
  } else {
    complain('pts-first', offset, `the first PTS is ${first}, expected ${due}`);
  }
  return due;
}

function checkPictures({ facts, complain }: PlacedSegment, start: number, { fps }: Grid): void {
  const list = facts.pictures?.list ?? [];
  const slotTicks = 90_000 / (fps ?? 0);
  let before: number | undefined;
  for (const picture of list) {
    const at = ticksBetween(start, picture.pts);
    if (at < 0 || at >= SEGMENT_TICKS || (fps !== undefined && at % slotTicks !== 0)) {
      complain('pts-slot', picture.offset, `PTS ${picture.pts} is ${at} ticks into the segment`);
    }
    if (before !== undefined && at <= before) {
      complain('pts-order', picture.offset, `PTS ${picture.pts} steps by ${at - before}`);
    }
    if (at - (before ?? 0) > LONGEST_PICTURE_GAP_TICKS) {
      complain('slot-gap', picture.offset, `no picture for ${(at - (before ?? 0)) / 90} ms`);
    }
    if (picture.dts !== undefined && picture.dts !== picture.pts) {
      complain('dts', picture.offset, `DTS ${picture.dts}, PTS ${picture.pts}`);
    }
    before = at;
  }
  if (fps === undefined) return;
  for (const slotsToEnd of [2, 1]) {
    const at = SEGMENT_TICKS - slotsToEnd * slotTicks;
    if (list.some(({ pts }) => ticksBetween(start, pts) === at)) continue;
    complain('last-slots', null, `slot ${at / slotTicks} of ${SEGMENT_TICKS / slotTicks} is empty`);
  }
}

function checkAudio(facts: SegmentFacts, start: number, complain: Complain): void {
  let frame = 0;
  for (const unit of facts.audio) {
    const due = wrapTicks(start + AUDIO_FRAME_TICKS * frame);
    if (unit.pts !== due) {
      const message = `frame ${frame} has PTS ${unit.pts}, expected ${due}`;
      complain('audio-pts', unit.offset, message);
    }
    frame += unit.frames;
  }
  if (frame !== AUDIO_FRAMES) complain('audio-frames', null, `${frame} AAC frames, expected 75`);
}

/** Checks what neighbours share: tables, parameter sets, coded size; `before` is the last segment that was read. */
export function checkNeighbours(before: PlacedSegment | undefined, segment: PlacedSegment): void {
  const { facts, complain, isDiscontinuous } = segment;
  if (!before) return;
  const isSame = {
    tables: facts.tablesKey === before.facts.tablesKey,
    sound:
      facts.audioKey === undefined || facts.audioKey === (before.facts.audioKey ?? facts.audioKey),
    sets: isSameOrUnknown(facts.pictures?.key, before.facts.pictures?.key),
  };
  if (!isDiscontinuous && !isSame.tables) {
    complain('psi-constant', 0, 'PAT or PMT differ from the segment before');
  }
  if (!isDiscontinuous && !isSame.sets) {
    complain('parameter-sets', 0, 'SPS or PPS differ from the segment before');
    complain('discontinuity', null, 'parameter sets change, EXT-X-DISCONTINUITY is missing');
  }
  if (!isDiscontinuous && !isSame.sound) {
    complain('adts', 0, 'the fixed header differs from the segment before');
    complain('discontinuity', null, 'the sound changes, EXT-X-DISCONTINUITY is missing');
  }
  if (isDiscontinuous && isSame.sets && isSame.tables && isSame.sound) {
    complain('discontinuity', null, 'EXT-X-DISCONTINUITY, but parameter sets do not change');
  }
  const [size, sizeBefore] = [codedSize(facts), codedSize(before.facts)];
  if (size && sizeBefore && size !== sizeBefore) {
    complain('coded-size', null, `${size} after ${sizeBefore}`);
  }
}

/** Where a segment has no parameter sets, idr-first says so already. */
function isSameOrUnknown(one: string | undefined, other: string | undefined): boolean {
  return one === other || one === '' || other === '';
}

function codedSize({ pictures }: SegmentFacts): string {
  const sizes = (pictures?.sps ?? []).map((sps) => `${sps.codedWidth}×${sps.codedHeight}`);
  return [...new Set(sizes)].join(' and ');
}

/** Checks every SPS of a segment once. */
export function checkFormats({ facts, complain }: PlacedSegment, { fps }: Grid): void {
  for (const sps of facts.pictures?.sps ?? []) {
    checkPictureFormat(sps, fps, complain);
  }
}
