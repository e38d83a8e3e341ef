import { describe, expect, it } from 'vitest';
import { arrangeClass, planDemo } from '../../../src/cli/demo/options.ts';
import type { ClassroomSource } from '../../../src/model/recording.ts';

const classroom: ClassroomSource = {
  title: '数学',
  signallingUrl: 'ws://127.0.0.1/',
  sources: (['teacher', 'student', 'student'] as const).map((role, i) => ({
    ...{ participantId: `p${i}`, name: `P${i}`, role, kind: 'hls', url: 'http://127.0.0.1/' },
  })),
};

describe('options of the demo', () => {
  it('leave the class as it is where nothing is asked for', () => {
    const plan = planDemo({ seconds: '30' });
    expect(plan).toMatchObject({ seconds: 30, size: undefined });
    expect(arrangeClass(classroom, plan)).toEqual(classroom);
  });

  it('arrange the class, upright too, and give a dual-teacher class its tutor', () => {
    const asked = { layout: 'dual-teacher', view: 'teacher', size: '720x1280' };
    const plan = planDemo({ seconds: '30', ...asked });
    expect(plan.size).toEqual({ width: 720, height: 1280 });
    const arranged = arrangeClass(classroom, plan);
    expect(arranged).toMatchObject({ layout: 'dual-teacher', view: 'teacher' });
    expect(arranged.sources.map(({ role }) => role)).toEqual(['teacher', 'tutor', 'student']);
  });

  it.each([
    [{ seconds: '4' }, /^seconds: expected 5 to/],
    [{ sources: 'rtmp' }, /^sources: expected whep or hls, got "rtmp"/],
    [{ layout: 'board' }, /^layout: expected one-to-one, .* or gallery, got "board"/],
    [{ view: 'parent' }, /^view: expected teacher or audience, got "parent"/],
    [{ size: '720' }, /^size: expected even numbers of pixels from 320 to 1920/],
    [{ size: '721x1280' }, /^size: /],
    [{ size: '720x4000' }, /^size: /],
  ])('are refused by name: %j', (words, says) => {
    expect(() => planDemo({ seconds: '30', ...words })).toThrow(says);
  });
});
