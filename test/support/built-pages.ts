import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Closable } from '../../src/lifecycle.ts';
import type { ClassroomSource } from '../../src/model/recording.ts';
import { servePages, type ServedPages } from './page-server.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
};

/** Serves the pages as they were bundled into `dist/pages`, and others of the test's own beside them. Close it. */
export async function serveBuiltPages(
  own: ServedPages = {},
): Promise<Closable & { readonly url: string; classroomUrl(source: ClassroomSource): string }> {
  const folder = path.resolve('dist/pages');
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const served = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map(async (file) => {
        const full = path.join(file.parentPath, file.name);
        const type = TYPES[path.extname(full)] ?? 'application/octet-stream';
        return [`/${path.relative(folder, full)}`, { type, body: await readFile(full) }] as const;
      }),
  );
  const pages = await servePages({ ...Object.fromEntries(served), ...own });
  return {
    url: pages.url,
    close: () => pages.close(),
    classroomUrl(source) {
      const fragment = Buffer.from(JSON.stringify(source)).toString('base64url');
      return `${pages.url}/recorder/classroom/index.html#${fragment}`;
    },
  };
}
