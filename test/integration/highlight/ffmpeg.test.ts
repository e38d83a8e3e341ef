import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { commandLine, runFfmpeg } from '../../../src/media/ffmpeg.ts';

/** Endless work: nothing but a kill ends it. */
const ENDLESS = [
  ['-f', 'lavfi', '-i', 'anullsrc'],
  ['-f', 'null', '-metadata', 'title=endless'],
];

/** Command lines of this process's living children. */
async function childCommands(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(parent) !== process.pid || state === 'Z') return [];
      return [await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')];
    }),
  );
  return found.flat();
}

describe('runFfmpeg', () => {
  it('hands bytes in and out', async () => {
    const input = Buffer.alloc(300_000, 7);
    const args = [
      ['-f', 'u8', '-ar', '48000', '-ac', '1', '-i', 'pipe:0'],
      ['-f', 'u8', 'pipe:1'],
    ];
    const { stdout } = await runFfmpeg({
      args,
      input: [input.subarray(0, 1000), input.subarray(1000)],
    });
    expect(stdout.equals(input)).toBe(true);
  });

  it('reports command line, exit code, last lines of stderr and duration', async () => {
    await expect(runFfmpeg({ args: [['-i', '/does/not/exist.mp4']] })).rejects.toMatchObject({
      code: 'ffmpeg-failed',
      message: expect.stringMatching(
        /exit code 1 after \d+ ms\): ffmpeg .*-i \/does\/not\/exist\.mp4\n.*No such file/s,
      ) as string,
    });
  });

  it('kills the child on abort and waits until it is gone', async () => {
    const abort = new AbortController();
    const run = runFfmpeg({ args: [...ENDLESS, ['-']], signal: abort.signal });
    await expect.poll(childCommands).toContainEqual(expect.stringContaining('title=endless'));
    abort.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    expect(await childCommands()).not.toContainEqual(expect.stringContaining('title=endless'));
  });

  it('ends when what reads its output fails, with that failure', async () => {
    const endless = [...ENDLESS.slice(0, 1), ['-f', 's16le', '-metadata', 'title=endless']];
    const onStdout = (): void => {
      throw new Error('not what I read');
    };
    const run = runFfmpeg({ args: [...endless, ['pipe:1']], onStdout });
    await expect(run).rejects.toThrow('not what I read');
    expect(await childCommands()).not.toContainEqual(expect.stringContaining('title=endless'));
  });

  it('says the command as a shell takes it, of whichever program', async () => {
    const args = [['-i', "it's (not) there.mp4"]];
    await expect(runFfmpeg({ args })).rejects.toThrow(`-i 'it'\\''s (not) there.mp4'`);
    expect(commandLine({ args, program: '/opt/my ffmpeg' })).toBe(
      `'/opt/my ffmpeg' -hide_banner -nostats -loglevel warning -i 'it'\\''s (not) there.mp4'`,
    );
    await expect(runFfmpeg({ args, program: '/opt/my ffmpeg' })).rejects.toMatchObject({
      code: 'ffmpeg-missing',
      message: 'Cannot start /opt/my ffmpeg: expected a program at this path.',
    });
  });

  it('kills a child that takes too long, and says so', async () => {
    const run = runFfmpeg({ args: [...ENDLESS, ['-']], timeoutMs: 300 });
    await expect(run).rejects.toMatchObject({ code: 'ffmpeg-timeout' });
    expect(await childCommands()).not.toContainEqual(expect.stringContaining('title=endless'));
  });

  it('says how to install a program that is not there', async () => {
    const script = `import { runFfmpeg } from './src/media/ffmpeg.ts';
      await runFfmpeg({ args: [] }).catch((error) => process.stdout.write(error.message));`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { PATH: '/nowhere' },
    });
    expect(stdout).toBe(
      'Cannot start ffmpeg: expected it on PATH. Install it with `apt-get install ffmpeg` or `npm run setup`.',
    );
  });
});
