import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findLauncher } from '../../../src/batch/launcher.ts';
import { haltFfmpeg, launchFfmpegBy, resumeFfmpeg } from '../../../src/media/ffmpeg-children.ts';
import { runFfmpeg } from '../../../src/media/ffmpeg.ts';
import { descendantsOf } from '../../support/processes.ts';
import { waitUntil } from '../../support/wait-until.ts';

vi.setConfig({ testTimeout: 30_000 });
const PATIENCE_MS = 20_000;
/** Of sched(7), in `/proc/<pid>/stat`. */
const SCHED_IDLE = 5;
/** Places of fields in `/proc/<pid>/stat` (proc(5)) behind the name: state, nice, policy. */
const STATE = 0;
const NICE = 16;
const POLICY = 38;

afterEach(() => {
  resumeFfmpeg();
  launchFfmpegBy([]);
});

async function statOf(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** An ffmpeg that would go on for an hour. */
function startEndless(name: string): {
  readonly stop: AbortController;
  readonly run: Promise<unknown>;
} {
  const stop = new AbortController();
  const source = `sine=d=3600:f=440,ametadata=add:key=name:value=${name}`;
  const args = [
    ['-re', '-f', 'lavfi', '-i', source],
    ['-f', 'null', '-'],
  ];
  const run = runFfmpeg({ args, signal: stop.signal }).catch((error: unknown) => error);
  return { stop, run };
}

function untilRunning(name: string): Promise<number> {
  return waitUntil(
    `${name} runs`,
    async () => {
      const found = await descendantsOf(process.pid);
      // Not any of the programs on the way, which become it.
      return found.find(({ command }) => /^\S*ffmpeg/.test(command) && command.includes(name))?.pid;
    },
    PATIENCE_MS,
  );
}

describe('a batch worker’s encoder', () => {
  it('runs only when nobody else wants the CPU', async () => {
    launchFfmpegBy(await findLauncher('idle'));
    const { stop, run } = startEndless('idle');
    const stat = await statOf(await untilRunning('idle'));
    expect(Number(stat[NICE])).toBe(19);
    expect(Number(stat[POLICY])).toBe(SCHED_IDLE);
    stop.abort(new Error('enough'));
    expect(await run).toMatchObject({ message: 'enough' });
  });

  it('stands still while it is told to, one started meanwhile as well, and goes on afterwards', async () => {
    const first = startEndless('first');
    const pids = [await untilRunning('first')];
    haltFfmpeg();
    const second = startEndless('second');
    pids.push(await untilRunning('second'));
    const untilAll = (state: RegExp): Promise<unknown> =>
      waitUntil(
        `both are ${state.source}`,
        async () => {
          const states = await Promise.all(pids.map(async (pid) => (await statOf(pid))[STATE]));
          return states.every((one) => state.test(one ?? ''));
        },
        PATIENCE_MS,
      );
    await untilAll(/T/);
    resumeFfmpeg();
    await untilAll(/[RSD]/);
    haltFfmpeg();
    await untilAll(/T/);
    // Called off while it stands still, it is gone all the same.
    for (const { stop, run } of [first, second]) {
      stop.abort(new Error('enough'));
      expect(await run).toMatchObject({ message: 'enough' });
    }
  });
});
