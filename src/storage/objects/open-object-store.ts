import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config.ts';
import { inputError } from '../../errors.ts';
import { FolderStore } from './folder-store.ts';
import type { ObjectStore } from './object-store.ts';

/** Opens the store that `CHALKREEL_STORAGE_URL` names; by default a folder inside the data folder. */
export async function openObjectStore(
  config: Pick<Config, 'dataDir' | 'storageUrl'>,
): Promise<ObjectStore> {
  if (config.storageUrl === undefined)
    return FolderStore.open(path.join(config.dataDir, 'storage'));
  const url = new URL(config.storageUrl);
  if (url.protocol === 'file:') return FolderStore.open(fileURLToPath(url));
  throw inputError(
    'CHALKREEL_STORAGE_URL',
    `CHALKREEL_STORAGE_URL: ${url.protocol} is not supported yet, expected file:///folder`,
    'storage-not-supported',
  );
}
