import { describe, expect, it } from 'vitest';
import {
  findAbsences,
  framesAtJoin,
  lostSeconds,
  misplacedMs,
  placePictures,
  starvedSeconds,
  type Shown,
} from '../../chaos/lost-time.ts';
import { judge, runScenarios, type ChaosScenario } from '../../chaos/runner.ts';
import { findJoins, findReturns, isGrown, readPlaylist } from '../../chaos/served-playlist.ts';
import { countWrongBeeps, loudestAtJoins } from '../../chaos/sound.ts';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Pcm } from '../../support/pcm.ts';
import { SAMPLE_ORIGIN_MS } from '../../support/sample-records.ts';

const FRAME_MS = 1000 / 15;
/** Segment 0 begins 10 s into the container. */
const PTS_ORIGIN_S = 10;

/** A class drawn 15 times a second from the origin on; `isShown` leaves pictures out, which were drawn or not. */
function pictures(
  seconds: number,
  isShown: (atMs: number) => boolean = () => true,
  isDrawn = true,
): Shown[] {
  return Array.from({ length: seconds * 15 }, (_, i) => i * FRAME_MS)
    .filter(isShown)
    .map((afterMs, i) => {
      const placedMs = SAMPLE_ORIGIN_MS + afterMs;
      const frameNumber = isDrawn ? Math.round(afterMs / FRAME_MS) : i;
      return { drawnMs: Math.round(placedMs), placedMs, frameNumber, maker: '0-1' };
    });
}

describe('a playlist read from outside', () => {
  const text = `#EXTM3U
#EXT-X-MEDIA-SEQUENCE:3
#EXT-X-PROGRAM-DATE-TIME:2025-06-15T15:06:44.800Z
#EXTINF:1.6,
segments/000003-0-1.ts
#EXT-X-GAP
#EXTINF:1.6,
segments/000004-gap.ts
#EXTINF:1.6,
segments/000005-0-2.ts
#EXTINF:1.6,
segments/000006-1-1.ts
#EXTINF:1.6,
segments/000007-0-1.ts
`;
  const { entries, originMs } = readPlaylist(text);

  it('gives numbers, gaps, makers and origin', () => {
    expect(entries.map(({ n, isGap, maker }) => [n, isGap, maker])).toEqual([
      [3, false, '0-1'],
      [4, true, ''],
      [5, false, '0-2'],
      [6, false, '1-1'],
      [7, false, '0-1'],
    ]);
    expect(originMs).toBe(SAMPLE_ORIGIN_MS);
  });

  it('has joins where another maker follows without a gap, and returns of one that had been followed', () => {
    expect(findJoins(entries).map(({ n }) => n)).toEqual([6, 7]);
    expect(findReturns(entries).map(({ n }) => n)).toEqual([7]);
  });

  it('has grown when lines were added, its end included, and in no other case', () => {
    expect(isGrown('', text)).toBe(true);
    expect(isGrown(text, `${text}#EXT-X-ENDLIST\n`)).toBe(true);
    expect(isGrown(`${text}#EXT-X-ENDLIST\n`, `${text}#EXT-X-ENDLIST\n`)).toBe(true);
    expect(isGrown(text, text.replace('000003-0-1', '000003-0-2'))).toBe(false);
    expect(isGrown(text, text.slice(0, -30))).toBe(false);
  });
});

describe('time of the class that is on no picture', () => {
  const options = { frameMs: FRAME_MS, endMs: SAMPLE_ORIGIN_MS + 10_000 };

  it('is none in a whole recording, nor where a few frames are missing', () => {
    expect(findAbsences(pictures(10), options)).toEqual([]);
    const few = pictures(10, (ms) => ms < 3000 || ms > 3300);
    expect(findAbsences(few, options)).toEqual([]);
  });

  it('is counted in holes and at the end', () => {
    const holed = pictures(9, (ms) => ms < 3000 || ms > 5000);
    const absences = findAbsences(holed, options);
    expect(absences).toHaveLength(2);
    // To a frame, at either end.
    expect(lostSeconds(absences)).toBeGreaterThan(3 - 3 * (FRAME_MS / 1000));
    expect(lostSeconds(absences)).toBeLessThan(3 + 3 * (FRAME_MS / 1000));
    expect(starvedSeconds(absences)).toBe(0);
  });

  it('is not lost where the page itself stood still, unless another Chrome showed it', () => {
    const still = pictures(10, (ms) => ms < 3000 || ms > 5000, false);
    expect(lostSeconds(findAbsences(still, options))).toBe(0);
    expect(starvedSeconds(findAbsences(still, options))).toBeCloseTo(2, 0);
    const others = still.map((p) =>
      p.placedMs < SAMPLE_ORIGIN_MS + 4000 ? p : { ...p, maker: '0-2' },
    );
    expect(lostSeconds(findAbsences(others, options))).toBeCloseTo(2, 0);
  });

  it('counts frames missing or repeated where two makers meet', () => {
    const joinMs = SAMPLE_ORIGIN_MS + 1600;
    const whole = pictures(4);
    expect(framesAtJoin(whole, joinMs, FRAME_MS)).toBe(0);
    const without = whole.filter(({ placedMs }) => placedMs < joinMs - 100 || placedMs >= joinMs);
    expect(framesAtJoin(without, joinMs, FRAME_MS)).toBe(1);
    const late = whole.map((p) =>
      p.placedMs < joinMs - 1 ? p : { ...p, drawnMs: Math.round(p.drawnMs - 2 * FRAME_MS) },
    );
    expect(framesAtJoin(late, joinMs, FRAME_MS)).toBe(-2);
    expect(framesAtJoin([], joinMs, FRAME_MS)).toBeUndefined();
  });

  it('says how far segments are from where they belong', () => {
    const shifted = pictures(3).map((p, i) => (i < 24 ? p : { ...p, placedMs: p.placedMs + 250 }));
    const errors = [...misplacedMs(shifted, SAMPLE_ORIGIN_MS).values()].map(Math.round);
    expect(errors).toEqual([0, 250]);
  });

  it('takes each drawn picture once, at the place of its time in the container', () => {
    const code = { valid: true, frameNumber: 1, clockMs: SAMPLE_ORIGIN_MS, ptsS: 10.1 } as const;
    const bad = { valid: false, ptsS: 10.2 } as const;
    const entries = [{ n: 0, uri: 'a', isGap: false, maker: '1-2' }];
    const recording = { originMs: SAMPLE_ORIGIN_MS, entries };
    const shown = placePictures([code, { ...code, ptsS: 10.3 }, bad], recording);
    expect(shown).toMatchObject([{ frameNumber: 1, maker: '1-2' }]);
    expect(shown.map(({ placedMs }) => Math.round(placedMs - SAMPLE_ORIGIN_MS))).toEqual([100]);
  });
});

describe('sound around joins', () => {
  const RATE = 48_000;
  const beeping = (seconds: number, isBeeping: (second: number) => boolean): Pcm => {
    const samples = new Float32Array(seconds * RATE);
    for (let i = 0; i < samples.length; i += 1) {
      // The origin is a full second.
      const s = i / RATE;
      if (s % 1 < 0.1 && isBeeping(Math.floor(s))) samples[i] = 0.5 * Math.sin(i / 8);
    }
    return { sampleRate: RATE, startS: PTS_ORIGIN_S, samples };
  };
  const originMs = SAMPLE_ORIGIN_MS;
  const none = { originMs, absences: [], openedMs: [] };

  it('misses beeps that are not there, or twice, unless they are excused', () => {
    expect(
      countWrongBeeps(
        beeping(8, () => true),
        none,
      ),
    ).toBe(0);
    const pcm = beeping(8, (second) => second !== 3);
    expect(countWrongBeeps(pcm, none)).toBe(1);
    const absences = [{ fromMs: originMs + 2500, toMs: originMs + 3500, isStarved: false }];
    expect(countWrongBeeps(pcm, { ...none, absences })).toBe(0);
    expect(countWrongBeeps(pcm, { ...none, openedMs: [originMs + 1600] })).toBe(0);
    const double = beeping(8, () => true);
    double.samples.set(double.samples.subarray(4 * RATE, 4.05 * RATE), 4.2 * RATE);
    expect(countWrongBeeps(double, none)).toBe(1);
  });

  it('hears a click in the silence at a join, and not a beep', () => {
    const pcm = beeping(8, () => true);
    const joinsMs = [originMs + 1600];
    expect(loudestAtJoins(pcm, { originMs, joinsMs })).toBe(-120);
    pcm.samples[1.61 * RATE] = 0.1;
    expect(loudestAtJoins(pcm, { originMs, joinsMs })).toBeCloseTo(-20);
    expect(loudestAtJoins(pcm, { originMs, joinsMs: [originMs + 2000] })).toBeUndefined();
  });
});

describe('a row of several runs', () => {
  it('holds only when every run holds', () => {
    const lost = { name: 'lost', unit: 's', bound: { is: '<=', value: 8 } } as const;
    expect(judge('chaos/x', { ...lost, samples: [1, 2, 8] })).toMatchObject({ holds: true, n: 3 });
    expect(judge('chaos/x', { ...lost, samples: [1, 2, 9] })).toMatchObject({
      bench: 'chaos/x',
      median: 2,
      max: 9,
      bound: '<= 8',
      holds: false,
    });
  });

  it('is written to a file, and a run that fails is told by the exit code', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'chaos-runner-'));
    try {
      let runs = 0;
      const flaky: ChaosScenario = {
        about: 'fails the second time',
        seconds: 1,
        run: async () => {
          runs += 1;
          if (runs === 2) throw new Error('broken');
          return [{ name: 'lost', unit: 's', samples: [runs], bound: { is: '<=', value: 8 } }];
        },
      };
      const printed: string[] = [];
      const exitCode = await runScenarios(['flaky'], {
        scenarios: { flaky },
        runs: 3,
        appendTo: path.join(folder, 'results.jsonl'),
        logsFolder: folder,
        print: (text) => printed.push(text),
        say: () => undefined,
        json: true,
      });
      expect(exitCode).toBe(1);
      const lines = (await readFile(path.join(folder, 'results.jsonl'), 'utf8')).trim().split('\n');
      expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
        { bench: 'chaos/flaky', name: 'lost', n: 2, median: 2, holds: true },
      ]);
      expect(printed[0]).toContain('fails the second time');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
