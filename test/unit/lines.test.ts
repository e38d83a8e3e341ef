import { expect, it } from 'vitest';
import { readLines } from '../../src/lines.ts';

it('hands on whole lines as they were, wherever their bytes were cut', () => {
  const text = 'ready\n{"title":"王老师的课"}\n\nlast';
  const bytes = Buffer.from(text);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const lines: string[] = [];
    const reader = readLines((line) => lines.push(line));
    reader.take(bytes.subarray(0, cut));
    reader.take(bytes.subarray(cut));
    expect(lines).toEqual(text.split('\n').slice(0, 3));
    reader.end();
    reader.end();
    expect(lines).toEqual(text.split('\n'));
  }
});
