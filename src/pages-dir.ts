import { existsSync } from 'node:fs';
import path from 'node:path';
import { ChalkreelError } from './errors.ts';

/** From this file to the package: source lies beside `dist`, compiled code in `dist/node`. */
const UP_TO_PACKAGE = import.meta.filename.endsWith('.ts') ? '..' : '../../..';

/** Where the built pages belong: `dist/pages` of the package. They need not be there. */
export const PAGES_DIR = path.resolve(import.meta.dirname, UP_TO_PACKAGE, 'dist/pages');

/** The recorder's page, built last time `npm run setup` ran. */
export const RECORDER_PAGE = path.join(PAGES_DIR, 'recorder/page/index.html');

/** The folder of built pages. Throws `pages-missing`. */
export function getPagesDir(): string {
  if (existsSync(RECORDER_PAGE)) return PAGES_DIR;
  throw new ChalkreelError('pages-missing', 'the built pages are missing; run `npm run setup`', {
    fault: 'dependency',
  });
}
