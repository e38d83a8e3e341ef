import { createFindings, type Report } from './findings.ts';
import { checkFormats, checkOnGrid, inferGrid, type Grid, type PlacedSegment } from './grid.ts';
import { readSegment, type SegmentFacts } from './segment.ts';
import { UnreadableInput } from './source.ts';
import { summarize } from './summary.ts';
import { SEGMENT_TICKS, TIME_MODULUS } from './ticks.ts';
import { PACKET_BYTES } from './transport/packet.ts';
import { DEFAULT_PTS_ORIGIN, type Context } from './options.ts';

/** PTS wraps after 26.5 hours; a segment's number is looked for within this many wraps. */
const WRAPS = 4;

/** Checks one segment by itself; its number is the one that fits its first PTS. */
export async function verifySegment(bytes: Uint8Array, context: Context): Promise<Report> {
  if (bytes.length < PACKET_BYTES || bytes[0] !== 0x47) {
    throw new UnreadableInput(`${context.name}: neither a playlist, a transport stream nor an MP4`);
  }
  const findings = createFindings();
  const complain = findings.about(context.name);
  const facts = readSegment(bytes, complain);
  const placed: PlacedSegment[] = [];
  let grid: Grid | undefined;
  if (facts) {
    const number = findNumber(facts, context.ptsOrigin ?? DEFAULT_PTS_ORIGIN);
    const segment = { name: context.name, n: number ?? 0, isDiscontinuous: false, facts, complain };
    const ptsOrigin = number === undefined ? undefined : (context.ptsOrigin ?? DEFAULT_PTS_ORIGIN);
    if (number === undefined) {
      complain('pts-origin', null, 'the first PTS is not B + 144000 n for any number n');
    }
    grid = inferGrid([segment], { fps: context.fps, ptsOrigin });
    placed.push(segment);
    checkOnGrid(segment, grid);
    checkFormats(segment, grid);
    const digest = context.expected?.find(({ n }) => n === segment.n);
    if (context.expected && digest?.sha256 !== facts.sha256) {
      complain('content-changed', null, 'elementary streams or times differ');
    }
  }
  const failure = await context.decode?.([bytes], 'mpegts');
  if (failure) complain('decode', null, failure);
  return summarize(findings, { ...context, kind: 'segment', placed, gaps: 0, grid });
}

function findNumber(facts: SegmentFacts, ptsOrigin: number): number | undefined {
  for (const pts of [facts.pictures?.list[0]?.pts, facts.audio[0]?.pts]) {
    for (let wrap = 0; pts !== undefined && wrap < WRAPS; wrap += 1) {
      const way = pts + wrap * TIME_MODULUS - ptsOrigin;
      if (way >= 0 && way % SEGMENT_TICKS === 0) return way / SEGMENT_TICKS;
    }
  }
  return undefined;
}
