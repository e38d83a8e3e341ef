import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Resources } from '../../src/lifecycle.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { openTestServices, type TestServices } from '../support/test-services.ts';
import { measureExactness } from './clip/exactness.ts';
import { storeLesson, type Lesson } from './clip/lesson.ts';
import { measureLiveEdge } from './clip/live-edge.ts';
import { capture, type Captured } from './clip/material.ts';
import { measureMemory } from './clip/memory.ts';
import { measureMp4Latency } from './clip/mp4-latency.ts';
import { measurePlaylistLatency } from './clip/playlist-latency.ts';
import { startRole } from './clip/role.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

/** What a run does, and how much of it. */
type Settings = {
  readonly minutes: number;
  readonly captured: number;
  readonly windows: number;
  readonly runs: number;
  readonly clips: number;
  readonly rateSeconds: number;
  readonly triggers: number;
  readonly parts: readonly Part[];
};
const PARTS = ['exact', 'mp4', 'memory', 'playlist', 'live'] as const;
type Part = (typeof PARTS)[number];

/** Highlights: how soon a clip plays, how soon it is a file, how exact that is, and what making many of them costs. */
export const clipBench: Scenario = {
  about:
    'latency, exactness and memory of clips; --minutes 30 --captured 40 --windows 200 --runs 20 --clips 1000 ' +
    `--rate-seconds 30 --triggers 40 --only ${PARTS.join(',')}`,
  run: async (args) => {
    const settings = parseSettings(args);
    const resources = new Resources();
    try {
      const folder = resources.use(await makeTempFolder('clip')).path;
      const captured = await capture(settings.captured, { folder, resources });
      const services = resources.use(await openTestServices());
      const segments = Math.ceil((settings.minutes * 60_000) / SEGMENT_MS);
      const lesson = await storeLesson(services, captured, segments);
      const measurements: Measurement[] = [];
      for (const part of settings.parts) {
        measurements.push(
          ...(await measure(part, { settings, folder, captured, services, lesson })),
        );
      }
      return measurements;
    } finally {
      await resources.close();
    }
  },
};

type Bench = {
  readonly settings: Settings;
  readonly folder: string;
  readonly captured: Captured;
  readonly services: TestServices;
  readonly lesson: Lesson;
};

async function measure(part: Part, bench: Bench): Promise<Measurement[]> {
  const { settings, folder, services } = bench;
  switch (part) {
    case 'exact':
      return measureExactness(services, { ...bench, windows: settings.windows });
    case 'mp4':
      return withRole('highlight/main.ts', services, () =>
        measureMp4Latency(services, { ...bench, runs: settings.runs }),
      );
    case 'memory':
      return withRole('highlight/main.ts', services, ({ pid }) =>
        measureMemory(services, { ...bench, clips: settings.clips, pid }),
      );
    case 'playlist':
      return withRole('src/api/main.ts', services, ({ port }) =>
        measurePlaylistLatency(port, bench.lesson, settings),
      );
    case 'live':
      return measureLiveEdge(folder, settings.triggers).finally(() =>
        rm(`${folder}/live`, { recursive: true, force: true }),
      );
  }
}

async function withRole<T>(
  main: Parameters<typeof startRole>[0],
  services: TestServices,
  run: (role: Awaited<ReturnType<typeof startRole>>) => Promise<T>,
): Promise<T> {
  const role = await startRole(main, services);
  try {
    return await run(role);
  } finally {
    await role.close();
    // Jobs that nobody took must not be somebody's load later.
    const { client } = services.redis;
    const keys = await client.keys('chalkreel:queue:highlights*');
    if (keys.length > 0) await client.del(...keys);
  }
}

function parseSettings(args: readonly string[]): Settings {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: text,
      captured: text,
      windows: text,
      runs: text,
      clips: text,
      'rate-seconds': text,
      triggers: text,
      only: text,
    },
  });
  const number = (name: Exclude<keyof typeof values, 'only'>, fallback: number): number => {
    const value = Number(values[name] ?? fallback);
    if (value > 0) return value;
    throw new RangeError(`--${name}: expected a number above 0, got ${String(values[name])}`);
  };
  const only = values.only?.split(',') ?? PARTS;
  return {
    minutes: number('minutes', 30),
    captured: number('captured', 40),
    windows: number('windows', 200),
    runs: number('runs', 20),
    clips: number('clips', 1000),
    rateSeconds: number('rate-seconds', 30),
    triggers: number('triggers', 40),
    parts: PARTS.filter((part) => only.includes(part)),
  };
}
