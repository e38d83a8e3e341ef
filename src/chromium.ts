import type { Config } from './config.ts';
import { ChalkreelError } from './errors.ts';
import { findProgram } from './programs.ts';

/** The Chromium to run: the configured one, else the first found. Throws `chromium-missing`, saying how to get it. */
export function findChromium(config: Pick<Config, 'chromium'>): string {
  const names = config.chromium === undefined ? ['chromium', 'google-chrome'] : [config.chromium];
  const found = findProgram(...names);
  if (found !== undefined) return found;
  throw new ChalkreelError(
    'chromium-missing',
    `Chromium was not found (looked for ${names.join(', ')}); install Debian's package chromium or set CHALKREEL_CHROMIUM`,
    { fault: 'input', details: { field: 'CHALKREEL_CHROMIUM' } },
  );
}
