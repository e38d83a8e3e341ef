import { spawn } from 'node:child_process';
import { roleCommand } from './role-command.ts';

/** Options of `record`, handed on as they are: the recorder checks them. */
export const RECORD_OPTIONS = [
  ['--out <dir>', 'folder for playlist, segments and report'],
  ['--seconds <n>', 'stop after this time; default: on Ctrl-C, or when the page ends'],
  ['--audio-only', 'keep the sound alone'],
  ['--width <pixels>', 'picture width, default 1280'],
  ['--height <pixels>', 'picture height, default 720'],
  ['--fps <n>', 'frames per second: 10, 15, 20, 25, 30, 50 or 60; default 30'],
  ['--bitrate <bits>', 'video bits per second, default 3000000'],
  ['--audio-bitrate <bits>', 'sound bits per second, default 128000'],
  ['--await-signal', 'begin when the page says so instead of when it has loaded'],
  ['--ready-timeout <seconds>', 'begin after this time anyway, default 10'],
  ['--json', 'print the result as one JSON line on stdout'],
] as const;

/** Records a page by the recorder in a process of its own; resolves to its exit code. Signals are passed on. */
export async function runRecord(
  url: string,
  options: Readonly<Record<string, string | boolean>>,
): Promise<number> {
  const [program, ...args] = roleCommand('recorder/main');
  // A group of its own: Ctrl-C reaches it once, through us. The IPC channel tells it when we die.
  const child = spawn(program, [...args, `--once=${url}`, ...toArguments(options)], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const forward = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  process.on('SIGINT', forward).on('SIGTERM', forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** `{ audioBitrate: '1' }` as `--audio-bitrate=1`. */
function toArguments(options: Readonly<Record<string, string | boolean>>): string[] {
  return Object.entries(options).map(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? flag : `${flag}=${String(value)}`;
  });
}
