import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Closable } from '../../src/lifecycle.ts';
import type { ObjectStore } from '../../src/storage/objects/object-store.ts';
import { collect } from '../support/collect.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

/** What every ObjectStore promises. `open` gives an empty store; it is closed after the suite. */
export function describeObjectStore(
  name: string,
  open: () => Promise<Closable & { readonly store: ObjectStore }>,
): void {
  describe(`${name} is an object store`, () => {
    let opened: Closable & { readonly store: ObjectStore };
    let folder: Closable & { readonly path: string };
    let store: ObjectStore;

    beforeAll(async () => {
      opened = await open();
      folder = await makeTempFolder('bodies');
      store = opened.store;
    });
    afterAll(async () => {
      await opened.close();
      await folder.close();
    });

    const bytes = (content: string): Uint8Array => Buffer.from(content);
    const keysOf = async (prefix: string): Promise<string[]> =>
      (await collect(store.list(prefix))).map(({ key }) => key);

    it('gives back what was put, with its length and time', async () => {
      await store.put('a/b/c.txt', bytes('hello'));
      expect((await store.read('a/b/c.txt')).toString()).toBe('hello');
      const info = await store.find('a/b/c.txt');
      expect(info).toMatchObject({ key: 'a/b/c.txt', length: 5 });
      // A minute: clocks of a store's server and ours may differ a little.
      expect(Math.abs(Date.now() - (info?.modifiedAtMs ?? 0))).toBeLessThan(60_000);
    });

    it('keeps an empty object', async () => {
      await store.put('empty', bytes(''));
      expect((await store.read('empty')).length).toBe(0);
      expect(await text(await store.openStream('empty'))).toBe('');
    });

    it('takes a local file as a body', async () => {
      const file = path.join(folder.path, 'body');
      await writeFile(file, 'from a file');
      await store.putOnce('files/once', { file });
      expect((await store.read('files/once')).toString()).toBe('from a file');
      await writeFile(file, 'from another');
      await store.put('files/once', { file });
      expect((await store.read('files/once')).toString()).toBe('from another');
    });

    it('replaces on put, and refuses on putOnce without changing anything', async () => {
      await store.putOnce('once', bytes('first'));
      await expect(store.putOnce('once', bytes('second'))).rejects.toMatchObject({
        code: 'object-exists',
      });
      expect((await store.read('once')).toString()).toBe('first');
      await store.put('once', bytes('third'));
      expect((await store.read('once')).toString()).toBe('third');
    });

    it('lets exactly one of many putOnce win, whole', async () => {
      const bodies = Array.from({ length: 8 }, (_, i) => String(i).repeat(100_000));
      const results = await Promise.allSettled(
        bodies.map((body) => store.putOnce('race/one', bytes(body))),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const winner = results.findIndex(({ status }) => status === 'fulfilled');
      expect((await store.read('race/one')).toString()).toBe(bodies[winner]);
    });

    it('shows readers a whole object while it is being replaced', async () => {
      const versions = ['a'.repeat(300_000), 'b'.repeat(300_000)];
      await store.put('torn', bytes('a'.repeat(300_000)));
      const writing = (async () => {
        for (let i = 0; i < 20; i++) await store.put('torn', bytes(versions[i % 2] ?? ''));
      })();
      for (let i = 0; i < 20; i++) {
        expect(versions).toContain((await store.read('torn')).toString());
      }
      await writing;
    });

    it('reads a range, its end exclusive', async () => {
      await store.put('range', bytes('0123456789'));
      const read = async (start: number, end: number): Promise<string> =>
        (await store.read('range', { start, end })).toString();
      expect(await read(0, 10)).toBe('0123456789');
      expect(await read(2, 5)).toBe('234');
      expect(await read(9, 12)).toBe('9');
      expect(await read(4, 4)).toBe('');
      await expect(store.read('missing', { start: 0, end: 1 })).rejects.toMatchObject({
        code: 'object-not-found',
      });
    });

    it('streams a range, its end exclusive', async () => {
      await store.put('range', bytes('0123456789'));
      expect(await text(await store.openStream('range'))).toBe('0123456789');
      expect(await text(await store.openStream('range', { start: 2, end: 5 }))).toBe('234');
      expect(await text(await store.openStream('range', { start: 9, end: 10 }))).toBe('9');
      expect(await text(await store.openStream('range', { start: 4, end: 4 }))).toBe('');
    });

    it('says that an object is missing', async () => {
      expect(await store.find('missing/object')).toBeUndefined();
      await expect(store.read('missing/object')).rejects.toMatchObject({
        code: 'object-not-found',
      });
      await expect(store.openStream('missing/object')).rejects.toMatchObject({
        code: 'object-not-found',
      });
    });

    it('lists by prefix in key order, also inside a name', async () => {
      const keys = ['l/a', 'l/a-b', 'l/a/x', 'l/a/y', 'l/b', 'm'];
      for (const key of [...keys].reverse()) {
        if (key === 'l/a') continue; // a folder cannot be an object as well
        await store.put(key, bytes(key));
      }
      expect(await keysOf('l/')).toEqual(['l/a-b', 'l/a/x', 'l/a/y', 'l/b']);
      expect(await keysOf('l/a')).toEqual(['l/a-b', 'l/a/x', 'l/a/y']);
      expect(await keysOf('l/a/')).toEqual(['l/a/x', 'l/a/y']);
      expect(await keysOf('nothing/')).toEqual([]);
    });

    it('lists what comes after a key, there or not', async () => {
      for (const name of ['a/1', 'a/2', 'b', 'b-c', 'b/3', 'c'])
        await store.put(`after/${name}x`, bytes(''));
      const listAfter = async (after: string): Promise<string[]> =>
        (await collect(store.list('after/', { after: `after/${after}` }))).map(({ key }) =>
          key.slice('after/'.length),
        );
      expect(await listAfter('')).toEqual(['a/1x', 'a/2x', 'b-cx', 'b/3x', 'bx', 'cx']);
      expect(await listAfter('a/1x')).toEqual(['a/2x', 'b-cx', 'b/3x', 'bx', 'cx']);
      expect(await listAfter('a/1~')).toEqual(['a/2x', 'b-cx', 'b/3x', 'bx', 'cx']);
      expect(await listAfter('a~')).toEqual(['b-cx', 'b/3x', 'bx', 'cx']);
      expect(await listAfter('b/3x')).toEqual(['bx', 'cx']);
      expect(await listAfter('cx')).toEqual([]);
    });

    it('lists folders without looking into them', async () => {
      for (const key of ['z/one/x', 'z/one/y/z', 'z/two/x', 'z/file'])
        await store.put(key, bytes(''));
      expect(await collect(store.listFolders('z/'))).toEqual(['one', 'two']);
      expect(await collect(store.listFolders('z/one/'))).toEqual(['y']);
      expect(await collect(store.listFolders('nowhere/'))).toEqual([]);
    });

    it('deletes, and does not mind when there is nothing to delete', async () => {
      await store.put('gone/soon', bytes('x'));
      await store.delete('gone/soon');
      await store.delete('gone/soon');
      expect(await store.find('gone/soon')).toBeUndefined();
      expect(await keysOf('gone/')).toEqual([]);
      await store.put('gone/soon', bytes('back'));
      expect((await store.read('gone/soon')).toString()).toBe('back');
    });

    it.each([
      '',
      '/',
      '/etc/passwd',
      '../x',
      'a/../../x',
      'a//b',
      'a/./b',
      'a/',
      'a\0b',
      'a\\..\\b',
    ])('refuses the key %j', async (key) => {
      await expect(store.put(key, bytes('x'))).rejects.toMatchObject({
        code: 'invalid-object-key',
      });
      await expect(store.read(key)).rejects.toMatchObject({ code: 'invalid-object-key' });
      await expect(store.delete(key)).rejects.toMatchObject({ code: 'invalid-object-key' });
    });
  });
}
