import { describe, expect, it } from 'vitest';
import type { ReencodeProfile } from '../../../src/model/reencode.ts';
import { enterRun, isSameProfile, type ReencodeRun } from '../../../src/model/reencode-run.ts';
import { reencodeProfileSchema } from '../../../src/protocol/reencode.ts';
import { isOfHost } from '../../../src/queue/live-load.ts';
import { planRuns, type ReencodeWish } from '../../../src/queue/request-reencode.ts';

const profile = reencodeProfileSchema.parse({
  name: 'small',
  video: { codec: 'avc', height: 240 },
}) as ReencodeProfile;
const other: ReencodeProfile = { ...profile, outputs: ['mp4', 'hls-cmaf'] };

function run(change: Partial<ReencodeRun> = {}): ReencodeRun {
  return {
    ...{ id: 'old', profile, origin: 'api', night: null, state: 'waiting', requestedAtMs: 1 },
    ...{ startedAtMs: null, endedAtMs: null, failures: 0, ...change },
  };
}

function wish(change: Partial<ReencodeWish> = {}): ReencodeWish {
  return { profiles: [profile], origin: 'api', night: null, nowMs: 2, ...change };
}

const plan = (known: readonly ReencodeRun[], asked: ReencodeWish): ReturnType<typeof planRuns> =>
  planRuns(known, asked, () => 'new');

describe('a wish to re-encode', () => {
  it.each([
    ['was never asked for', [], wish(), true],
    ['is under way', [run()], wish(), false],
    ['is done', [run({ state: 'completed' })], wish(), false],
    ['is done, and wanted again', [run({ state: 'completed' })], wish({ force: true }), true],
    ['is done with other settings', [run({ state: 'completed', profile: other })], wish(), true],
    ['has failed', [run({ state: 'failed' })], wish(), true],
    ['was cancelled', [run({ state: 'cancelled' })], wish(), true],
  ])('for what %s', (_what, known, asked, isNew) => {
    const { reencodes, ids } = plan(known, asked);
    expect(ids).toEqual(isNew ? ['new'] : []);
    expect(reencodes).toHaveLength(1);
    if (!isNew) expect(reencodes).toBe(known);
  });

  it('is heard at once though a night would have done it, and stays that way', () => {
    const [urgent] = plan([run({ night: '2026-01-01' })], wish()).reencodes;
    expect(urgent).toMatchObject({ id: 'old', night: null });
    expect(plan([run()], wish({ night: '2026-01-01' })).reencodes[0]?.night).toBeNull();
  });

  it('is refused when its profile is under way with other settings', () => {
    expect(() => plan([run({ profile: other })], wish())).toThrow(/small is under way/);
  });

  it('remembers how often the same has failed before, and forgets it for other settings', () => {
    const failed = run({ state: 'failed', failures: 1 });
    expect(plan([failed], wish()).reencodes[0]?.failures).toBe(2);
    expect(plan([failed], wish({ profiles: [other] })).reencodes[0]?.failures).toBe(0);
  });

  it('keeps other profiles’ runs', () => {
    const mine = run({ profile: { ...profile, name: 'mine' } });
    expect(plan([mine], wish()).reencodes.map(({ profile: { name } }) => name)).toEqual([
      'mine',
      'small',
    ]);
  });
});

describe('a run', () => {
  it('changes only while it is open', () => {
    const recording = { reencodes: [run(), run({ id: 'b', state: 'cancelled' })] };
    expect(enterRun(recording, 'old', { state: 'probing' }).reencodes[0]?.state).toBe('probing');
    for (const id of ['b', 'gone']) {
      expect(enterRun(recording, id, { state: 'completed' })).toBe(recording);
    }
  });

  it('has the same profile in whatever order it was written', () => {
    const { name, ...rest } = profile;
    expect(isSameProfile(profile, { ...rest, name })).toBe(true);
    expect(isSameProfile(profile, other)).toBe(false);
  });
});

describe('a worker’s id', () => {
  it.each([
    ['node-1-4711-0a1b', 'node-1', true],
    ['node-1-4711-0a1b', 'node', false],
    ['node-4711-0a1b', 'node', true],
    ['node-4711', 'node', false],
  ])('%s is of %s: %s', (id, host, isHere) => {
    expect(isOfHost(id, host)).toBe(isHere);
  });
});
