import { describe, expect, it } from 'vitest';
import {
  findNight,
  localDate,
  nextNight,
  unixAt,
  type NightTimes,
} from '../../../src/model/night.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** A schedule of some local times each day. */
function daily(timeZone: string, at: readonly string[] = ['01:30'], endsAt = '06:00'): NightTimes {
  const offsets = at.map((text) => {
    const [h = 0, m = 0] = text.split(':').map(Number);
    return (h * 60 + m) * 60_000;
  });
  return {
    timeZone,
    endsAt,
    nextRun: (after) => {
      const day = Math.floor(after / DAY_MS) * DAY_MS;
      const runs = [day, day + DAY_MS].flatMap((start) => offsets.map((ms) => start + ms));
      return Math.min(...runs.filter((run) => run > after));
    },
  };
}

const at = (iso: string): number => Date.parse(iso);

/** Every night that begins in a span, found as a scheduler finds them: each from the one before. */
function nightsBetween(fromIso: string, toIso: string, times: NightTimes): string[] {
  const found: string[] = [];
  let night = nextNight(at(fromIso), times);
  while (night !== undefined && night.startsAtMs < at(toIso)) {
    found.push(`${night.date} ${new Date(night.startsAtMs).toISOString()}`);
    night = nextNight(night.startsAtMs, times);
  }
  return found;
}

describe('the night', () => {
  it.each([
    // The clock is set back from 2 to 1: 01:30 is there twice.
    [
      'New York in autumn',
      'America/New_York',
      '2026-10-31T12:00:00Z',
      '2026-11-03T00:00:00Z',
      ['2026-11-01 2026-11-01T05:30:00.000Z', '2026-11-02 2026-11-02T06:30:00.000Z'],
    ],
    // Forward from 1 to 2: 01:30 is not there at all.
    [
      'London in spring',
      'Europe/London',
      '2026-03-27T12:00:00Z',
      '2026-03-31T00:00:00Z',
      [
        '2026-03-28 2026-03-28T01:30:00.000Z',
        '2026-03-29 2026-03-29T01:30:00.000Z',
        '2026-03-30 2026-03-30T00:30:00.000Z',
      ],
    ],
    [
      'London in autumn',
      'Europe/London',
      '2026-10-24T12:00:00Z',
      '2026-10-27T00:00:00Z',
      ['2026-10-25 2026-10-25T00:30:00.000Z', '2026-10-26 2026-10-26T01:30:00.000Z'],
    ],
    // Half an hour, from 2 to 1:30: the clock shows 01:30 again after 01:59.
    [
      'Lord Howe Island in autumn',
      'Australia/Lord_Howe',
      '2026-04-04T00:00:00Z',
      '2026-04-06T00:00:00Z',
      ['2026-04-05 2026-04-04T14:30:00.000Z', '2026-04-06 2026-04-05T15:00:00.000Z'],
    ],
  ])('begins once on each local date: %s', (_, zone, from, to, expected) => {
    expect(nightsBetween(from, to, daily(zone))).toEqual(expected);
  });

  it.each(['Europe/London', 'America/New_York', 'Africa/Cairo'])(
    'begins 365 times in 2026, on 365 dates: %s',
    (zone) => {
      for (const time of ['00:30', '01:30', '02:30']) {
        const from = new Date(unixAt(at('2026-01-01T00:00:00Z'), zone) - 1).toISOString();
        const to = new Date(unixAt(at('2027-01-01T00:00:00Z'), zone)).toISOString();
        const dates = nightsBetween(from, to, daily(zone, [time])).map((n) => n.slice(0, 10));
        expect(dates).toHaveLength(365);
        expect(new Set(dates).size).toBe(365);
      }
    },
  );

  it('begins at the first run of a date that has several', () => {
    const times = daily('Europe/Berlin', ['01:30', '03:00', '23:00']);
    expect(nightsBetween('2026-06-01T00:00:00Z', '2026-06-03T12:00:00Z', times)).toEqual([
      '2026-06-02 2026-06-01T23:30:00.000Z',
      '2026-06-03 2026-06-02T23:30:00.000Z',
    ]);
  });

  it('is found from its beginning to its end, also when asked in the hour that is there twice', () => {
    const times = daily('America/New_York');
    const night = { date: '2026-11-01', startsAtMs: at('2026-11-01T05:30:00Z') };
    const endsAtMs = at('2026-11-01T11:00:00Z');
    expect(findNight(night.startsAtMs - 1, times)).toBeUndefined();
    for (const offsetMs of [0, HOUR_MS / 2, HOUR_MS, 2 * HOUR_MS]) {
      expect(findNight(night.startsAtMs + offsetMs, times)).toEqual({ ...night, endsAtMs });
    }
    expect(findNight(endsAtMs - 1, times)?.date).toBe('2026-11-01');
    expect(findNight(endsAtMs, times)).toBeUndefined();
  });

  it('ends on the next day when its end is not after its beginning', () => {
    const times = daily('Europe/Berlin', ['22:00'], '05:00');
    expect(nextNight(at('2026-06-01T00:00:00Z'), times)).toEqual({
      date: '2026-06-01',
      startsAtMs: at('2026-06-01T20:00:00Z'),
      endsAtMs: at('2026-06-02T03:00:00Z'),
    });
  });

  it('ends after it began when the clock jumps over its end', () => {
    const night = nextNight(at('2026-03-28T12:00:00Z'), daily('Europe/London', ['01:10'], '01:20'));
    expect(night?.startsAtMs).toBe(at('2026-03-29T01:10:00Z'));
    expect(night?.endsAtMs).toBe(at('2026-03-29T01:20:00Z'));
  });

  it('never comes when its schedule never runs', () => {
    expect(nextNight(0, { ...daily('UTC'), nextRun: () => undefined })).toBeUndefined();
  });

  it('names a date by the local calendar', () => {
    expect(localDate(at('2026-11-01T03:59:59Z'), 'America/New_York')).toBe('2026-10-31');
    expect(localDate(at('2026-11-01T04:00:00Z'), 'America/New_York')).toBe('2026-11-01');
  });
});
