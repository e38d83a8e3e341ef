import type { Decode } from './decode.ts';
import { createFindings, type Complain, type Findings } from './findings.ts';
import type { Report } from './findings.ts';
import { checkFormats, checkNeighbours, checkOnGrid, inferGrid, inferOrigin } from './grid.ts';
import type { PlacedSegment } from './grid.ts';
import { DEFAULT_PTS_ORIGIN, type Context } from './options.ts';
import { checkPlaylist } from './playlist/check.ts';
import { parsePlaylist, type Entry } from './playlist/parse.ts';
import { checkServed } from './playlist/served.ts';
import { readSegment } from './segment.ts';
import { UnreadableInput, reasonOf, type ReadObject, type Source } from './source.ts';
import { summarize } from './summary.ts';

/** Segments decoded in one run: two minutes, and 40 MB at 3 Mb/s. */
const DECODE_RUN_SEGMENTS = 75;

/** How to read what a playlist names, and where it is served, the playlist again. */
export type PlaylistReader = Pick<Source, 'readObject'> & Partial<Pick<Source, 'readAgain'>>;

/** Checks a playlist and all its segments, as it stands; throws UnreadableInput for what is no media playlist. */
export async function verifyPlaylist(
  text: string,
  { readObject, readAgain }: PlaylistReader,
  context: Context,
): Promise<Report> {
  const playlist = parsePlaylist(text);
  if (playlist.isMultivariant) {
    throw new UnreadableInput(`${context.name}: a multivariant playlist; give a media playlist`);
  }
  const findings = createFindings();
  const complain = findings.about(context.name);
  checkPlaylist(playlist, complain, (entry) => findings.about(entry.uri));
  const gaps = playlist.entries.filter((entry) => entry.isGap).length;
  const placed = await readSegments(playlist.entries, { readObject, findings, context });
  const grid = inferGrid(placed, context);
  for (const [at, segment] of placed.entries()) {
    checkOnGrid(segment, grid);
    checkFormats(segment, grid);
    checkNeighbours(placed[at - 1], segment);
  }
  checkOrigin(inferOrigin(placed), context.ptsOrigin ?? DEFAULT_PTS_ORIGIN, complain);
  checkExpected(placed, context, findings);
  // Last, so that a live playlist has had time to go on.
  if (readAgain) await checkServed(playlist, readAgain, complain);
  return summarize(findings, { ...context, kind: 'playlist', placed, gaps, grid });
}

function checkOrigin(actual: number | undefined, expected: number, complain: Complain): void {
  if (actual === undefined || actual === expected) return;
  complain('pts-origin', null, `B is ${actual}, expected ${expected}; see --pts-origin`);
}

function checkExpected(placed: PlacedSegment[], context: Context, findings: Findings): void {
  if (!context.expected) return;
  const left = new Map(context.expected.map((digest) => [digest.n, digest]));
  for (const { n, facts, complain } of placed) {
    const expected = left.get(n);
    left.delete(n);
    if (expected?.sha256 !== facts.sha256) {
      complain('content-changed', null, `segment ${n}: elementary streams or times differ`);
    }
  }
  for (const { segment, n } of left.values()) {
    findings.about(segment)('content-changed', null, `segment ${n} is gone`);
  }
}

type Reading = { readObject: ReadObject; findings: Findings; context: Context };

/** Reads and checks the segments one by one; only facts stay, payloads go once they are decoded. */
async function readSegments(entries: readonly Entry[], reading: Reading): Promise<PlacedSegment[]> {
  const placed: PlacedSegment[] = [];
  const run = createDecodeRun(reading.context.decode);
  let isDiscontinuous = false;
  for (const entry of entries) {
    isDiscontinuous ||= entry.isDiscontinuous;
    if (entry.isGap || isDiscontinuous) await run.flush();
    if (entry.isGap) continue;
    const complain = reading.findings.about(entry.uri);
    const bytes = await readEntry(entry, reading, complain);
    const facts = bytes && readSegment(bytes, complain);
    if (!bytes) await run.flush();
    else await run.add({ bytes, complain });
    if (!facts) continue;
    placed.push({ n: entry.n, name: entry.uri, isDiscontinuous, facts, complain });
    isDiscontinuous = false;
  }
  await run.flush();
  return placed;
}

async function readEntry(
  entry: Entry,
  { readObject }: Reading,
  complain: Complain,
): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readObject(entry.uri, entry.range);
    if (entry.range && bytes.length < entry.range.length) {
      const message = `line ${entry.line}: ${bytes.length} of ${entry.range.length} bytes are there`;
      complain('entry-missing', null, message);
    }
    return bytes;
  } catch (error) {
    complain('entry-missing', null, `line ${entry.line}: ${reasonOf(error)}`);
    return undefined;
  }
}

type Undecoded = { readonly bytes: Uint8Array; readonly complain: Complain };
type DecodeRun = { add: (segment: Undecoded) => Promise<void>; flush: () => Promise<void> };

/** Decodes runs of segments as a player would; a run that fails is decoded again one by one, to name the segment. */
function createDecodeRun(decode: Decode | undefined): DecodeRun {
  let waiting: Undecoded[] = [];
  const flush = async (): Promise<void> => {
    const segments = waiting;
    waiting = [];
    const [first] = segments;
    if (!decode || !first) return;
    const failure = await decode(segments.map(({ bytes }) => bytes), 'mpegts'); // prettier-ignore
    if (!failure) return;
    let isNamed = false;
    for (const { bytes, complain } of segments) {
      const alone = await decode([bytes], 'mpegts');
      if (alone) complain('decode', null, alone);
      isNamed ||= alone !== '';
    }
    if (!isNamed) first.complain('decode', null, `in the run that starts here: ${failure}`);
  };
  return {
    flush,
    add: async (segment) => {
      if (!decode) return;
      waiting.push(segment);
      if (waiting.length >= DECODE_RUN_SEGMENTS) await flush();
    },
  };
}
