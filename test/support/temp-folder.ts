import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Closable } from '../../src/lifecycle.ts';

/** Makes an empty folder; closing removes it with all that is in it. */
export async function makeTempFolder(name = 'test'): Promise<Closable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), `chalkreel-${name}-`));
  return { path: folder, close: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) };
}
