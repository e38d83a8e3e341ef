import { parseArgs } from 'node:util';
import { Resources } from '../../src/lifecycle.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { openTestServices } from '../support/test-services.ts';
import { measureBalance } from './batch/balance.ts';
import { measureSaving } from './batch/bytes-saved.ts';
import { measureLiveBeside } from './batch/live-beside.ts';
import { captureMaterial, readMaterial, type Material } from './batch/material.ts';
import { measureWall } from './batch/wall.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

const PARTS = [
  ...['wall-vs-one-ffmpeg', 'seam', 'balance', 'hash-equal'],
  ...['bytes-saved', 'live-beside-batch'],
];
/** The classes that bytes are saved of: what is shown hardly moves, and nearly all of it does. */
const CLASSES = ['slides', 'cameras'] as const;

type Settings = {
  readonly minutes: number;
  readonly classMinutes: number;
  readonly liveSeconds: number;
  readonly rounds: number;
  readonly kills: number;
  readonly source: string | undefined;
  readonly parts: ReadonlySet<string>;
};

/** The nightly batch by the product's own workers: how long it takes, whether it is exact, what it saves, whom it disturbs. */
export const batchBench: Scenario = {
  about:
    're-encoding in parallel against one ffmpeg; captures its classes once, in real time; --minutes 10 --source FOLDER ' +
    `--rounds 3 --kills 20 --class-minutes 3 --live-seconds 60 --only ${PARTS.join(',')}`,
  run: async (args) => {
    const settings = parseSettings(args);
    const { parts } = settings;
    const resources = new Resources();
    try {
      const folder = resources.use(await makeTempFolder('batch')).path;
      const services = resources.use(await openTestServices());
      const measured: Measurement[] = [];
      const [wall, seam] = [parts.has('wall-vs-one-ffmpeg'), parts.has('seam')];
      if (wall || seam) {
        const material = await openMaterial(settings);
        const rounds = wall ? settings.rounds : 1;
        const options = { material, folder, rounds, parts: { wall, seam } };
        measured.push(...(await measureWall(services, options)));
      }
      const [balance, hash] = [parts.has('balance'), parts.has('hash-equal')];
      if (balance || hash) {
        const material = await openMaterial(settings);
        measured.push(
          ...(await measureBalance({ material, kills: settings.kills, parts: { balance, hash } })),
        );
      }
      if (parts.has('bytes-saved')) {
        for (const name of CLASSES) {
          const material = await captureMaterial(name, settings.classMinutes);
          measured.push(...(await measureSaving(services, { name, material, folder })));
        }
      }
      if (parts.has('live-beside-batch')) {
        const material = await openMaterial(settings);
        const seconds = settings.liveSeconds;
        measured.push(...(await measureLiveBeside({ material, folder, seconds })));
      }
      return measured;
    } finally {
      await resources.close();
    }
  },
};

function openMaterial({ source, minutes }: Settings): Promise<Material> {
  return source === undefined ? captureMaterial('lesson', minutes) : readMaterial(source);
}

function parseSettings(args: readonly string[]): Settings {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: text,
      'class-minutes': text,
      'live-seconds': text,
      rounds: text,
      kills: text,
      source: text,
      only: text,
    },
  });
  const number = (
    name: Exclude<keyof typeof values, 'only' | 'source'>,
    otherwise: number,
  ): number => {
    const value = Number(values[name] ?? otherwise);
    if (value > 0) return value;
    throw new RangeError(`--${name}: expected a number above 0, got ${String(values[name])}`);
  };
  const only = values.only?.split(',') ?? PARTS;
  const unknown = only.find((name) => !PARTS.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`--only: expected some of ${PARTS.join(', ')}, got ${unknown}`);
  }
  return {
    minutes: number('minutes', 10),
    classMinutes: number('class-minutes', 3),
    liveSeconds: number('live-seconds', 60),
    rounds: number('rounds', 3),
    kills: number('kills', 20),
    source: values.source,
    parts: new Set(only),
  };
}
