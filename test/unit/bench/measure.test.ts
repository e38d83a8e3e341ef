import { describe, expect, it } from 'vitest';
import { formatTable, summarize } from '../../bench/measure.ts';

describe('summarize', () => {
  it('gives median, extremes and number, in any order of samples', () => {
    expect(summarize('b', { name: 'odd', unit: 's', samples: [3, 1, 2] })).toEqual({
      ...{ bench: 'b', name: 'odd', unit: 's', median: 2, min: 1, max: 3, n: 3 },
    });
    expect(summarize('b', { name: 'even', unit: 's', samples: [4, 1, 10, 2] }).median).toBe(3);
  });

  it.each([
    ['<=', 2, true],
    ['<=', 1.9, false],
    ['>=', 2, true],
    ['>=', 2.1, false],
    ['==', 2, true],
    ['==', 2.001, false],
  ] as const)('judges a median of 2 against %s %d: %s', (is, value, holds) => {
    const line = summarize('b', { name: 'x', unit: 's', samples: [1, 2, 3], bound: { is, value } });
    expect(line).toMatchObject({ bound: `${is} ${value}`, holds });
  });

  it('refuses a measurement without samples', () => {
    expect(() => summarize('b', { name: 'x', unit: 's', samples: [] })).toThrow(
      /x: expected a sample/,
    );
  });
});

describe('table', () => {
  it('lines the columns up and shouts where a bound does not hold', () => {
    const line = summarize('b', {
      ...{ name: 'slow', unit: 's', samples: [2.34567] },
      bound: { is: '<=', value: 1 },
    });
    expect(formatTable([line])).toBe(
      'name  median  min   max   unit  n  bound  holds\nslow  2.35    2.35  2.35  s     1  <= 1   NO',
    );
  });
});
