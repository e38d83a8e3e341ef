import { describe, expect, it } from 'vitest';
import { chooseShown, type Candidate } from '../../../recorder/classroom/choose-shown.ts';

const never = Number.NEGATIVE_INFINITY;

/** A class of 25: a teacher, and students s1 to s24, the first six on screen. */
const crowd = (change: Partial<Record<string, Partial<Candidate>>> = {}): Candidate[] =>
  Array.from({ length: 25 }, (_, i) => {
    const participantId = i === 0 ? 'teacher' : `s${i}`;
    const role = i === 0 ? ('teacher' as const) : ('student' as const);
    const plain = { name: participantId, source: { participantId, role }, isShown: i < 6 };
    return { ...plain, spokeMs: never, ...change[participantId] };
  });
const choose = (candidates: Candidate[], spotlight: string | null = null): readonly string[] =>
  chooseShown(candidates, { limit: 6, spotlight });

describe('who is on screen', () => {
  it('is everybody where all fit', () => {
    expect(choose(crowd().slice(0, 6))).toHaveLength(6);
  });

  it('stays as it is while nobody speaks', () => {
    expect(choose(crowd())).toEqual(['teacher', 's1', 's2', 's3', 's4', 's5']);
  });

  it('takes in who speaks, in the place of one who has not', () => {
    const shown = choose(crowd({ s20: { spokeMs: 1000 }, s5: { spokeMs: 500 } }));
    expect(shown).toEqual(['teacher', 's1', 's2', 's3', 's5', 's20']);
  });

  it('keeps the teacher, a shared screen and whoever is in the spotlight', () => {
    const spoke = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`s${i + 1}`, { spokeMs: 1000 + i }]),
    );
    const screen = { source: { participantId: 's24', role: 'screen' as const } };
    const shown = choose(crowd({ ...spoke, s24: screen }), 's23');
    expect(shown).toEqual(['teacher', 's8', 's9', 's10', 's23', 's24']);
  });
});
