import { existsSync } from 'node:fs';
import path from 'node:path';
import { ChalkreelError } from '../src/errors.ts';

/** The folder of built pages: `dist/pages` of the package, seen from source and from `dist/node` alike. Throws `pages-missing`. */
export function pagesDir(): string {
  for (const up of ['..', '../../..']) {
    const folder = path.resolve(import.meta.dirname, up, 'dist/pages');
    if (existsSync(path.join(folder, 'recorder/page/index.html'))) return folder;
  }
  throw new ChalkreelError('pages-missing', 'the built pages are missing; run `npm run setup`', {
    fault: 'dependency',
  });
}
