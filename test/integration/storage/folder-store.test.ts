import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { FolderStore } from '../../../src/storage/objects/folder-store.ts';
import { openObjectStore } from '../../../src/storage/objects/open-object-store.ts';
import { describeObjectStore } from '../../contract/object-store.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

describeObjectStore('FolderStore', async () => {
  const folder = await makeTempFolder('store');
  return { store: await FolderStore.open(folder.path), close: () => folder.close() };
});

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await makeTempFolder('store');
  try {
    await run(folder.path);
  } finally {
    await folder.close();
  }
}

it('moves a file of the same disk instead of copying it', () =>
  withFolder(async (folder) => {
    const store = await FolderStore.open(path.join(folder, 'store'));
    const file = path.join(folder, 'body');
    await writeFile(file, 'x');
    const { ino } = await stat(file);
    await store.putOnce('moved', { file });
    expect((await stat(path.join(folder, 'store', 'moved'))).ino).toBe(ino);
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  }));

it('copies a file from another disk', () =>
  withFolder(async (folder) => {
    const other = await stat('/dev/shm').catch(() => undefined);
    if (other === undefined || other.dev === (await stat(folder)).dev) return;
    const file = path.join('/dev/shm', path.basename(folder));
    await writeFile(file, 'from memory');
    const store = await FolderStore.open(folder);
    await store.putOnce('copied', { file });
    expect((await store.read('copied')).toString()).toBe('from memory');
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  }));

it('keeps a file whose name is taken, so that nothing is lost', () =>
  withFolder(async (folder) => {
    const store = await FolderStore.open(path.join(folder, 'store'));
    await store.put('taken', Buffer.from('first'));
    const file = path.join(folder, 'body');
    await writeFile(file, 'second');
    await expect(store.putOnce('taken', { file })).rejects.toMatchObject({ code: 'object-exists' });
    expect((await stat(file)).size).toBe(6);
  }));

it('leaves no temporary file and no empty folder behind', () =>
  withFolder(async (folder) => {
    const store = await FolderStore.open(folder);
    await store.put('a/b/c', Buffer.from('x'));
    await store.putOnce('a/b/d', Buffer.from('x'));
    await store.putOnce('a/b/d', Buffer.from('x')).catch(() => undefined);
    await store.delete('a/b/c');
    await store.delete('a/b/d');
    expect(await readdir(folder)).toEqual(['.tmp']);
    expect(await readdir(path.join(folder, '.tmp'))).toEqual([]);
  }));

it('removes what a dead process left half-written', () =>
  withFolder(async (folder) => {
    await mkdir(path.join(folder, '.tmp'));
    await writeFile(path.join(folder, '.tmp', 'old'), 'x');
    await writeFile(path.join(folder, '.tmp', 'new'), 'x');
    const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
    await utimes(path.join(folder, '.tmp', 'old'), twoDaysAgo, twoDaysAgo);
    await FolderStore.open(folder);
    expect(await readdir(path.join(folder, '.tmp'))).toEqual(['new']);
  }));

it('says that a folder cannot be written', () =>
  withFolder(async (folder) => {
    const file = path.join(folder, 'a-file');
    await writeFile(file, '');
    await expect(FolderStore.open(path.join(file, 'store'))).rejects.toMatchObject({
      code: 'storage-not-writable',
      fault: 'input',
    });
  }));

it('opens the folder that the configuration names, and refuses what is not supported', () =>
  withFolder(async (folder) => {
    await (
      await openObjectStore({ dataDir: folder, storageUrl: undefined })
    ).put('x', Buffer.from('1'));
    expect((await stat(path.join(folder, 'storage', 'x'))).size).toBe(1);
    const storageUrl = `file://${path.join(folder, 'else%20where')}`;
    await (await openObjectStore({ dataDir: folder, storageUrl })).put('x', Buffer.from('1'));
    expect((await stat(path.join(folder, 'else where', 'x'))).size).toBe(1);
    await expect(openObjectStore({ dataDir: folder, storageUrl: 's3://b' })).rejects.toMatchObject({
      fault: 'input',
      details: { field: 'CHALKREEL_STORAGE_URL' },
    });
  }));
