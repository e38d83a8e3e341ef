import { describe, expect, it } from 'vitest';
import {
  MAX_RETRY_AFTER_MS,
  parseRetryAfter,
} from '../../../recorder/classroom/sources/retry-after.ts';

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);

describe('Retry-After', () => {
  it.each([
    ['seconds', '2', 2000],
    ['a date', 'Sat, 21 Nov 2026 12:00:03 GMT', 3000],
    ['a date that is over', 'Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['an hour', '3600', MAX_RETRY_AFTER_MS],
    ['less than nothing', '-5', 0],
    ['nothing', null, undefined],
    ['an empty header', ' ', undefined],
    ['words', 'soon', undefined],
  ])('with %s is a bounded pause, or none', (_, text, expected) => {
    expect(parseRetryAfter(text, NOW)).toBe(expected);
  });
});
