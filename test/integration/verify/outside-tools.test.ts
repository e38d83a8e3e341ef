import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Resources } from '../../../src/lifecycle.ts';
import { verifyTarget } from '../../../src/verify/verify.ts';
import { missingTools, runOutsideTools } from '../../support/outside-tools.ts';
import { SLOT_PATTERNS, writeSyntheticRecording } from '../../support/synthetic-recording.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { editPackets, pidOf, startsUnit } from '../../unit/verify/packets.ts';

/** Six programs at up to 1 s each; ten times that on a busy machine. */
const TIMEOUT_MS = 60_000;
const SEGMENTS = 4;
const PTS_MODULUS = 2 ** 33;
const VIDEO_PID = 0x100;
const AUDIO_PID = 0x101;

const resources = new Resources();
let root: string;

beforeAll(async () => {
  root = resources.use(await makeTempFolder('outside-tools')).path;
});
afterAll(() => resources.close());

/** Set-up installs them on Debian; elsewhere it is said that they are left out. */
const missing = missingTools();
if (missing.length > 0) console.warn(`not installed, left out: ${missing.join(', ')}`);

/** Each tool by what it says; those that say nothing left out. */
async function complaintsOf(playlist: string): Promise<Record<string, string[]>> {
  const all = await runOutsideTools(playlist, { withBrowser: false });
  const reports = all.filter(({ tool }) => !missing.includes(tool));
  expect(all).toHaveLength(6);
  expect(reports.filter(({ version }) => !/^\d+\.\d+/.test(version))).toEqual([]);
  const complaining = reports.filter(({ errors }) => errors.length > 0);
  return Object.fromEntries(complaining.map(({ tool, errors }) => [tool, errors]));
}

describe('a recording by our own segment writer', () => {
  it.each([
    { name: 'every slot filled', slots: SLOT_PATTERNS.full },
    { name: 'the fewest slots that are allowed', slots: SLOT_PATTERNS.sparse },
    { name: 'uneven gaps and a hole', slots: SLOT_PATTERNS.uneven, holes: [1] },
    { name: 'sound alone', slots: SLOT_PATTERNS.none },
    // PCR is due each 6 slots, most of which are empty here: it comes in packets of its own.
    {
      name: '60 fps, no picture where PCR is due',
      fps: 60 as const,
      slots: Array.from({ length: 96 }, (_, slot) => slot).filter(
        (slot) => slot === 0 || slot % 6 === 1 || slot >= 94,
      ),
    },
    {
      name: 'uneven gaps, PTS wrapping inside a segment',
      slots: SLOT_PATTERNS.uneven,
      ptsOrigin90k: PTS_MODULUS - 200_000,
    },
  ])(
    'is read by every outside tool without a complaint: $name',
    async ({ name, ...options }) => {
      const folder = path.join(root, name.replaceAll(/\W/g, '-'));
      const playlist = await writeSyntheticRecording(folder, { segments: SEGMENTS, ...options });
      const report = await verifyTarget(playlist, {
        decode: false,
        ptsOrigin: options.ptsOrigin90k,
      });
      expect(report.violations).toEqual([]);
      expect(await complaintsOf(playlist)).toEqual({});
    },
    TIMEOUT_MS,
  );
});

describe('the tools themselves', () => {
  /** Writes a good recording and spoils the packets of its second segment. */
  async function spoil(name: string, edit: (packets: Buffer[]) => Buffer[]): Promise<string> {
    const folder = path.join(root, name);
    const playlist = await writeSyntheticRecording(folder, {
      segments: SEGMENTS,
      slots: SLOT_PATTERNS.sparse,
    });
    const file = path.join(folder, '00001.ts');
    const segments = new Map([[file, await readFile(file)]]);
    const spoilt = editPackets({ playlist: '', segments }, file, edit);
    await writeFile(file, spoilt.segments.get(file) ?? '');
    return playlist;
  }

  async function expectComplaints(playlist: string, tools: readonly string[]): Promise<void> {
    const expected = tools.filter((tool) => !missing.includes(tool));
    expect(Object.keys(await complaintsOf(playlist))).toEqual(expect.arrayContaining(expected));
  }

  it(
    'hear of packets lost inside a picture',
    async () => {
      const playlist = await spoil('lost-packets', (packets) => {
        const start = packets.findIndex((p) => pidOf(p) === VIDEO_PID && startsUnit(p));
        const inner = packets.findIndex((p, at) => at > start + 2 && pidOf(p) === VIDEO_PID);
        return packets.toSpliced(inner, 4);
      });
      await expectComplaints(playlist, ['ffmpeg', 'tstools', 'GStreamer', 'VLC']);
    },
    TIMEOUT_MS,
  );

  it(
    'hear of a sound frame that is not there',
    async () => {
      const playlist = await spoil('lost-sound', (packets) => {
        const starts = packets.flatMap((p, at) =>
          pidOf(p) === AUDIO_PID && startsUnit(p) ? [at] : [],
        );
        const [from = 0, to = 0] = [starts[30], starts[31]];
        return packets.filter((p, at) => at < from || at >= to || pidOf(p) !== AUDIO_PID);
      });
      await expectComplaints(playlist, ['tstools', 'GStreamer', 'VLC', 'mediabunny']);
    },
    TIMEOUT_MS,
  );

  it(
    'see a picture in full range',
    async () => {
      const playlist = await writeSyntheticRecording(path.join(root, 'full-range'), {
        segments: SEGMENTS,
        slots: SLOT_PATTERNS.sparse,
        colourRange: 'pc',
      });
      await expectComplaints(playlist, ['mediainfo']);
    },
    TIMEOUT_MS,
  );
});
