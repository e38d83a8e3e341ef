import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { ChalkreelError } from '../../errors.ts';
import { deferred, withDeadline, type Closable } from '../../lifecycle.ts';
import { classroomSourceSchema } from '../../protocol/classroom.ts';
import { roleCommand } from '../role-command.ts';

/** Four cameras, drawn beforehand on the first start. */
const START_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 5_000;

const announcementSchema = z.object({ classroom: classroomSourceSchema });

/** The demo classroom, running as a process of its own. */
export type ClassroomProcess = Closable & {
  /** What a platform would POST. */
  readonly classroom: z.infer<typeof classroomSourceSchema>;
  /** The teacher says "save this moment" over the class's signalling. */
  triggerHighlight(wish: {
    readonly triggerId: string;
    readonly beforeMs: number;
    readonly afterMs: number;
    readonly title: string;
  }): void;
};

/** Starts the demo classroom; its log goes to the file descriptor. Throws `demo-classroom-failed`. */
export async function startClassroomProcess(options: {
  readonly dataDir: string;
  readonly output: number;
  /** How cameras reach the class: `whep`, `hls`, or (default) `auto`: whep where Janus is installed. */
  readonly sources?: string | undefined;
}): Promise<ClassroomProcess> {
  const [program, ...args] = roleCommand('src/demo/main');
  const child = spawn(
    program,
    [
      ...[...args, '--data-dir', options.dataDir, '--log-level', 'warn', '--restart-cameras'],
      ...['--sources', options.sources ?? 'auto'],
    ],
    // A group of its own, so that Ctrl-C reaches it only through us; it ends when its stdin does.
    { detached: true, stdio: ['pipe', 'pipe', options.output] },
  ) as ChildProcessByStdio<Writable, Readable, null>;
  const announced = deferred<z.infer<typeof announcementSchema>>();
  const gone = deferred<number | null>();
  child.once('error', announced.reject);
  child.once('exit', (code) => {
    gone.resolve(code);
    announced.reject(failed(`it ended with exit code ${String(code)}`));
  });
  createInterface({ input: child.stdout }).once('line', (line) => {
    announced.resolve(announcementSchema.parse(JSON.parse(line)));
  });
  const close = async (): Promise<void> => {
    child.stdin.end();
    await withDeadline(gone.promise, CLOSE_TIMEOUT_MS, () => failed('it did not end')).catch(() =>
      child.kill('SIGKILL'),
    );
  };
  try {
    const { classroom } = await withDeadline(announced.promise, START_TIMEOUT_MS, () =>
      failed(`it was not ready within ${START_TIMEOUT_MS / 1000} s`),
    );
    return {
      classroom,
      triggerHighlight: (wish) => {
        child.stdin.write(`${JSON.stringify({ do: 'highlight', ...wish })}\n`);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function failed(why: string): ChalkreelError {
  return new ChalkreelError('demo-classroom-failed', `the demo classroom did not start: ${why}`, {
    fault: 'dependency',
  });
}
