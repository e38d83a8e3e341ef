import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { processesWith } from './processes.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { waitUntil } from './wait-until.ts';

/** Start of everything, the recording, the clip and the contact sheet, on a shared machine. */
export const DEMO_TIMEOUT_MS = 110_000;
/** Of one camera. It is started again 3 s after each. */
const KILLS = 2;
/** Of a dead camera: it is started again after 3 s, on a busy machine later. */
const RESTART_TIMEOUT_MS = 20_000;
export const CLI = ['--import', import.meta.resolve('tsx'), path.resolve('src/cli/main.ts')];

export type DemoResult = {
  readonly recordingId: string;
  readonly directory: string;
  readonly playlist: string;
  readonly clip: string;
  readonly poster: string;
  readonly contactSheet: string;
  readonly segments: number;
  readonly startMs: number;
  readonly stopMs: number;
  readonly framesCaptured: number;
};

/** A demo in a terminal, with `--json --keep`. */
export type DemoRun = {
  readonly terminal: Terminal;
  /** What it shows as `label: value`, once it does. */
  announced(label: string): Promise<string>;
  /** Its JSON line, once it is printed; fails when the demo ends without. */
  result(): Promise<DemoResult>;
};

/** Starts the demo; `marker` is found again in the environment of all its processes. */
export function startDemo(options: {
  readonly out: string;
  readonly seconds: number;
  readonly marker: string;
}): DemoRun {
  const stdoutFile = `${options.marker}/stdout`;
  const args = ['demo', '--seconds', String(options.seconds), '--out', options.out];
  const terminal = openTerminal([process.execPath, ...CLI, ...args, '--json', '--keep'], {
    stdoutFile,
    // Its temporary files are in the folder of the test, which removes them whatever happens.
    env: { CHALKREEL_TEST_ID: options.marker, TMPDIR: options.marker },
  });
  let isOver = false;
  terminal.exited.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  const orFail = <T>(value: T): T => {
    if (isOver) throw new Error(`The demo ended too early:\n${terminal.shown()}`);
    return value;
  };
  return {
    terminal,
    announced: (label) =>
      waitUntil(
        `the demo says ${label}`,
        () => orFail(new RegExp(`^${label}: (\\S+)\\r$`, 'm').exec(terminal.shown())?.[1]),
        DEMO_TIMEOUT_MS,
      ),
    result: () =>
      waitUntil(
        'the result of the demo',
        async () => {
          const line = (await readFile(stdoutFile, 'utf8')).trim().split('\n').at(-1);
          return orFail(line === '' ? undefined : (JSON.parse(line ?? '') as DemoResult));
        },
        DEMO_TIMEOUT_MS,
      ),
  };
}

/**
 * Kills a participant's camera as an accident would, and the next one as soon as it is there, so that the camera is away for
 * longer than any buffer holds; waits for the third. Times are Unix ms.
 */
export async function breakCamera(
  marker: string,
  participantId: string,
): Promise<{ readonly killedAtMs: number; readonly restartedAtMs: number }> {
  const find = async (): Promise<number | undefined> =>
    (await processesWith(marker)).find(
      ({ command }) => /^(setpriv .*)?ffmpeg/.test(command) && command.includes(participantId),
    )?.pid;
  const killedAtMs = Date.now();
  const gone = new Set<number>();
  const another = (): Promise<number> =>
    waitUntil(
      'a camera runs',
      async () => {
        const pid = await find();
        return pid !== undefined && !gone.has(pid) && pid;
      },
      RESTART_TIMEOUT_MS,
    );
  for (let kill = 0; kill < KILLS; kill++) {
    const pid = await another();
    process.kill(pid, 'SIGKILL');
    gone.add(pid);
  }
  await another();
  return { killedAtMs, restartedAtMs: Date.now() };
}

/** What the API says of the recording, as soon as it runs. */
export async function recordingOf(
  demo: DemoRun,
): Promise<{ readonly originMs: number; readonly whiteboardUrl: string }> {
  const api = await demo.announced('API');
  const headers = { authorization: `Bearer ${await demo.announced('API key')}` };
  const id = new URL(await demo.announced('watch')).pathname.split('/').at(-1);
  return waitUntil(
    'the recording runs',
    async () => {
      const response = await fetch(`${api}/v1/recordings/${id}`, { headers });
      const { originMs, source } = (await response.json()) as {
        readonly originMs: number | null;
        readonly source: { readonly classroom: { readonly whiteboardUrl: string } };
      };
      const { whiteboardUrl } = source.classroom;
      return originMs !== null && { originMs, whiteboardUrl };
    },
    DEMO_TIMEOUT_MS,
  );
}
