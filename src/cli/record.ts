import { spawn } from 'node:child_process';
import { roleCommand } from './role-command.ts';

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
