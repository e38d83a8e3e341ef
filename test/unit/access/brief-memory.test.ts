import { describe, expect, it } from 'vitest';
import { BriefMemory } from '../../../src/brief-memory.ts';

describe('a brief memory', () => {
  it('asks once for many at once, believes the answer for its time from when it was asked, and can be told to forget', async () => {
    let nowMs = 0;
    const asked: string[] = [];
    const memory = new BriefMemory({
      ask: async (id) => {
        asked.push(id);
        nowMs += 10;
        return Promise.resolve(asked.length);
      },
      ttlMs: 500,
      monotonicMs: () => nowMs,
    });
    expect(await Promise.all([memory.get('a'), memory.get('a'), memory.get('b')])).toEqual([
      1, 1, 2,
    ]);
    nowMs = 499;
    expect(await memory.get('a')).toBe(1);
    nowMs = 500;
    expect(await memory.get('a')).toBe(3);
    memory.forget('a');
    expect(await memory.get('a')).toBe(4);
    expect(asked).toEqual(['a', 'b', 'a', 'a']);
  });

  it('does not remember a failure', async () => {
    let tries = 0;
    const memory = new BriefMemory({
      ask: () => (tries++ === 0 ? Promise.reject(new Error('away')) : Promise.resolve('here')),
      ttlMs: 500,
      monotonicMs: () => 0,
    });
    await expect(memory.get('a')).rejects.toThrow('away');
    expect(await memory.get('a')).toBe('here');
  });
});
