import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Resources } from '../../../src/lifecycle.ts';
import { launchTestBrowser } from '../browser.ts';
import { serveBuiltPages } from '../built-pages.ts';
import { drawLayouts } from './draw-layouts.ts';
import { openSyntheticClass } from './synthetic-class.ts';

/**
 * `npx tsx test/support/layouts/run-draw-references.ts [DIR]`: draws the reference pictures anew, from the built pages, after the look
 * has been changed on purpose. Look at them before they are committed.
 */
const folder = path.resolve(process.argv[2] ?? 'test/fixtures/layouts');
const resources = new Resources();
try {
  const { classroom } = resources.use(await openSyntheticClass());
  const pages = resources.use(await serveBuiltPages());
  const browser = await launchTestBrowser();
  resources.defer(() => browser.close());
  await mkdir(folder, { recursive: true });
  const url = pages.classroomUrl(classroom);
  for (const { shape, layout, jpeg } of await drawLayouts(browser, { classroom, url })) {
    await writeFile(path.join(folder, `${layout}-${shape}.jpg`), jpeg);
  }
} finally {
  await resources.close();
}
