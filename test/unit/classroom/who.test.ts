import { describe, expect, it } from 'vitest';
import {
  chooseShown,
  displayOrder,
  findLead,
  type Attention,
  type LayoutTile,
} from '../../../recorder/classroom/layout/who.ts';

const never = Number.NEGATIVE_INFINITY;
const AUDIENCE: Attention = {
  layout: 'small-class',
  view: 'audience',
  focus: null,
  spotlight: null,
};

/** A class of 25: a teacher, and students s1 to s24, the first six on screen. */
const crowd = (change: Partial<Record<string, Partial<LayoutTile>>> = {}): LayoutTile[] =>
  Array.from({ length: 25 }, (_, i) => {
    const participantId = i === 0 ? 'teacher' : `s${i}`;
    const role = i === 0 ? ('teacher' as const) : ('student' as const);
    const plain = { name: participantId, participantId, role, isShown: i < 6 };
    return { ...plain, spokeMs: never, ...change[participantId] };
  });
const namesOf = (tiles: readonly LayoutTile[]): readonly string[] => tiles.map(({ name }) => name);
const choose = (tiles: LayoutTile[], focus: string | null = null): readonly string[] => {
  const attention = { ...AUDIENCE, focus };
  return namesOf(chooseShown(tiles, 6, { lead: findLead(tiles, attention), attention }));
};

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

  it('keeps the teacher, a shared screen and whoever is asked for; screens stand first', () => {
    const spoke = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`s${i + 1}`, { spokeMs: 1000 + i }]),
    );
    const shown = choose(crowd({ ...spoke, s24: { role: 'screen' } }), 's23');
    expect(shown).toEqual(['s24', 'teacher', 's8', 's9', 's10', 's23']);
  });
});

describe('who leads', () => {
  const tutor = { role: 'tutor' } as const;
  const screen = { role: 'screen' } as const;
  it.each<[string, Partial<Record<string, Partial<LayoutTile>>>, Partial<Attention>, string]>([
    ['the teacher, for the audience', { s3: { spokeMs: 9 } }, {}, 'teacher'],
    [
      'the student who spoke last, for the teacher',
      { s3: { spokeMs: 9 } },
      { view: 'teacher' },
      's3',
    ],
    ['the first student, while none has spoken', {}, { view: 'teacher' }, 's1'],
    [
      'the tutor, for the lecturer of a dual-teacher class',
      { s4: tutor, s3: { spokeMs: 9 } },
      { view: 'teacher', layout: 'dual-teacher' },
      's4',
    ],
    ['a shared screen, before the teacher', { s9: screen }, {}, 's9'],
    ['who is asked for, before a shared screen', { s9: screen }, { focus: 's2' }, 's2'],
    ['who is in the spotlight', {}, { spotlight: 's2' }, 's2'],
    ['who is asked for, not who is in the spotlight', {}, { spotlight: 's2', focus: 's3' }, 's3'],
    [
      'the lecturer of a dual-teacher class, whoever is in the spotlight',
      {},
      { layout: 'dual-teacher', spotlight: 's2' },
      'teacher',
    ],
    [
      'as if nobody were asked for, where that one is not there',
      {},
      { focus: 'nobody' },
      'teacher',
    ],
  ])('is %s', (_, change, attention, expected) => {
    expect(findLead(crowd(change), { ...AUDIENCE, ...attention })?.name).toBe(expected);
  });

  it('is, of one who shares a screen beside the camera, what is shared', () => {
    const [teacher] = crowd();
    const shared = { ...teacher!, name: 'shared', role: 'screen' as const };
    const tiles = [...crowd(), shared];
    expect(findLead(tiles, { ...AUDIENCE, focus: 'teacher' })?.name).toBe('shared');
  });

  it('is nobody where nobody is there', () => {
    expect(findLead([], AUDIENCE)).toBeUndefined();
  });
});

describe('the order of tiles', () => {
  it('has who teaches first for the audience, and last for the teacher', () => {
    const tiles = crowd({ s1: { role: 'tutor' }, s2: { role: 'screen' } }).slice(0, 5);
    expect(namesOf(displayOrder(tiles, 'audience'))).toEqual(['s2', 'teacher', 's1', 's3', 's4']);
    expect(namesOf(displayOrder(tiles, 'teacher'))).toEqual(['s2', 's3', 's4', 's1', 'teacher']);
  });
});
