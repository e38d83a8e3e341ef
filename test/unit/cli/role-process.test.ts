import { expect, it } from 'vitest';
import { restartDelayMs } from '../../../src/cli/role-process.ts';

it('waits twice as long after each death in a row, up to 10 s', () => {
  expect([0, 1, 2, 5, 6, 50].map(restartDelayMs)).toEqual([200, 400, 800, 6400, 10_000, 10_000]);
});
