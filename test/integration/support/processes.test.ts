import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { descendantsOf, processesWith } from '../../support/processes.ts';
import { waitUntil } from '../../support/wait-until.ts';

describe('process counter', () => {
  it('finds children by an environment marker, grandchildren without their parent too, and none when they have gone', async () => {
    const marker = `CHALKREEL_TEST_ID=processes-${process.pid}`;
    // The shell leaves a grandchild behind: setsid takes it out of the shell's group and session.
    const shell = spawn('sh', ['-c', 'setsid sleep 60 & exec sleep 60'], {
      env: { ...process.env, CHALKREEL_TEST_ID: `processes-${process.pid}` },
      stdio: 'ignore',
    });
    const count = async (n: number) => (await processesWith(marker)).length === n;
    await waitUntil('both to run', () => count(2));
    expect(await descendantsOf(shell.pid!)).toHaveLength(1);
    expect((await descendantsOf(process.pid)).map((p) => p.pid)).toContain(shell.pid);

    shell.kill('SIGKILL');
    await once(shell, 'exit');
    const [orphan, ...others] = await processesWith(marker);
    expect(others).toEqual([]);
    expect(orphan?.command).toBe('sleep 60');

    process.kill(orphan!.pid, 'SIGKILL');
    await waitUntil('all to be gone', () => count(0));
  });

  it('finds a process by a path on its command line', async () => {
    const marker = `/tmp/chalkreel-marker-${process.pid}`;
    const child = spawn('tail', ['-f', '/dev/null', '--pid', `${process.pid}`, '-s', '60'], {
      argv0: marker,
      stdio: 'ignore',
    });
    expect((await waitUntil('tail', async () => (await processesWith(marker))[0])).pid).toBe(
      child.pid,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await processesWith(marker)).toEqual([]);
  });
});
