import type { ChildProcess } from 'node:child_process';

/**
 * All children that run ffmpeg for this process: a batch worker starts them through other programs (at idle priority, and so that they die
 * with it), and lets them stand still while somebody else needs the CPU. Other processes never ask for that.
 */

const running = new Set<ChildProcess>();
let launcher: readonly string[] = [];
let isHalted = false;
let isLowered = true;

/** From now on ffmpeg is run by this command, which is to `exec` what follows: its process id must stay the child's. */
export function launchFfmpegBy(command: readonly string[]): void {
  launcher = command;
}

/** From now on no child's priority is lowered, whatever a run asks for. */
export function keepFfmpegPriority(): void {
  isLowered = false;
}

/** Whether runs that ask for a lower priority get it. */
export function mayLowerPriority(): boolean {
  return isLowered;
}

/** The command line that runs a program with arguments. */
export function launched(
  program: string,
  args: readonly string[],
): { readonly program: string; readonly args: string[] } {
  const [first, ...rest] = launcher;
  if (first === undefined) return { program, args: [...args] };
  return { program: first, args: [...rest, program, ...args] };
}

/** Keeps a child that has just been started; one that is started meanwhile stands still as well. */
export function trackFfmpeg(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
  if (isHalted) child.kill('SIGSTOP');
}

/** All children stand still, those to come too, until `resumeFfmpeg`. They can be killed. */
export function haltFfmpeg(): void {
  isHalted = true;
  for (const child of running) child.kill('SIGSTOP');
}

export function resumeFfmpeg(): void {
  isHalted = false;
  for (const child of running) child.kill('SIGCONT');
}
