import { expect, it } from 'vitest';
import { deferred } from '../../src/lifecycle.ts';
import { forEachLimited, mapLimited } from '../../src/map-limited.ts';

it('maps in order, no more at once than it may', async () => {
  let atWork = 0;
  let most = 0;
  const results = await mapLimited([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, (atWork += 1));
    // The later ones are through sooner.
    for (let turn = item; turn < 6; turn += 1) await Promise.resolve();
    atWork -= 1;
    return item * 10;
  });
  expect(results).toEqual([10, 20, 30, 40, 50]);
  expect(most).toBe(2);
});

it('begins none after a failure, and throws it when what was begun is through', async () => {
  const begun: number[] = [];
  const slow = deferred();
  let isThrough = false;
  const work = mapLimited([0, 1, 2, 3], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('no');
    await slow.promise;
    isThrough = true;
  });
  const failed = expect(work).rejects.toThrow('no');
  slow.resolve();
  await failed;
  expect(begun).toEqual([0, 1]);
  expect(isThrough).toBe(true);
});

it('takes items as they come, until it is called off', async () => {
  const calledOff = new AbortController();
  const done: number[] = [];
  async function* items(): AsyncGenerator<number> {
    for (let item = 0; ; item += 1) yield await Promise.resolve(item);
  }
  const work = forEachLimited(items(), { limit: 3, signal: calledOff.signal }, (item) => {
    done.push(item);
    if (item === 9) calledOff.abort(new Error('called off'));
    return Promise.resolve();
  });
  await expect(work).rejects.toThrow('called off');
  expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
