import { asChalkreelError } from './errors.ts';
import { Resources } from './lifecycle.ts';

/** Exit code for bad input and accidents that were met; 1 is a fault of ours. */
export const EXIT_INPUT = 2;

/**
 * Runs a program and ends the process, with the exit code `run` resolves to, else 0. What it has opened is closed first, however
 * it ended. A failure is one line on stderr, and exit code 2, or 1 for a fault of ours.
 */
export async function runRole(
  run: (resources: Resources) => Promise<number | undefined>,
): Promise<never> {
  const resources = new Resources();
  try {
    const exitCode = await run(resources);
    await resources.close();
    process.exit(exitCode);
  } catch (error) {
    await resources.close().catch(() => undefined);
    const failure = asChalkreelError(error);
    process.stderr.write(`chalkreel: ${failure.message}\n`);
    process.exit(failure.fault === 'internal' ? 1 : EXIT_INPUT);
  }
}
