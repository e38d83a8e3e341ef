/**
 * When a night begins and ends on a clock that people set: some local times are there twice a year, some not at all. All functions are
 * pure; times are Unix ms, or "wall" ms: what a clock on the wall shows, written as if it were UTC.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A clock changes at most once in this time. */
const NEAR_MS = DAY_MS;
/** A night that began longer ago than this is over, whenever it ends: a window is shorter than a day, and a day lasts up to 25 h. */
const MAX_NIGHT_MS = 2 * DAY_MS;
/** A schedule without a night in so many days' worth of its runs has none. */
const MAX_RUNS_LOOKED_AT = 10_000;

/** When nights are. */
export type NightTimes = {
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
  /** Local time at which a night ends, `HH:MM`. */
  readonly endsAt: string;
  /** The schedule: the first run after a wall time; undefined when there is none. */
  readonly nextRun: (afterWallMs: number) => number | undefined;
};

/** One night. Its name is the local date on which it begins: there is one of a name. */
export type Night = {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly startsAtMs: number;
  /** What does not fit before this goes on in the next night. */
  readonly endsAtMs: number;
};

/**
 * The first night that begins after a time: at the first run of its local date. When the clock is set back over it, it begins the first
 * time that the clock shows it; when the clock is set forward over it, as much later as the clock jumps.
 */
export function nextNight(afterMs: number, times: NightTimes): Night | undefined {
  for (const night of nightsFrom(afterMs - NEAR_MS, times)) {
    if (night.startsAtMs > afterMs) return night;
  }
  return undefined;
}

/** The night that a time is in: it has begun, and is not over. */
export function findNight(atMs: number, times: NightTimes): Night | undefined {
  let found: Night | undefined;
  for (const night of nightsFrom(atMs - MAX_NIGHT_MS, times)) {
    if (night.startsAtMs > atMs) break;
    found = night;
  }
  return found !== undefined && atMs < found.endsAtMs ? found : undefined;
}

/** All nights from somewhat before a time on, in order, one for each date. */
function* nightsFrom(fromMs: number, times: NightTimes): Generator<Night> {
  // From the beginning of a day, so that the first run of a date is known as the first.
  let wallMs = startOfDay(wallAt(fromMs, times.timeZone)) - 1;
  let lastDate = '';
  for (let looked = 0; looked < MAX_RUNS_LOOKED_AT; looked += 1) {
    const runMs = times.nextRun(wallMs);
    if (runMs === undefined) return;
    const startsAtMs = unixAt(runMs, times.timeZone);
    const date = localDate(startsAtMs, times.timeZone);
    // The rest of its day has no other night.
    wallMs = startOfDay(runMs) + DAY_MS - 1;
    if (date === lastDate) continue;
    lastDate = date;
    yield { date, startsAtMs, endsAtMs: endAfter(runMs, startsAtMs, times) };
  }
}

/** When a night ends that begins at a time. */
export function nightEndAfter(
  startsAtMs: number,
  times: Pick<NightTimes, 'timeZone' | 'endsAt'>,
): number {
  return endAfter(wallAt(startsAtMs, times.timeZone), startsAtMs, times);
}

/** `wallMs`: when it was to begin, which the clock may never have shown. */
function endAfter(
  wallMs: number,
  startsAtMs: number,
  { timeZone, endsAt }: Pick<NightTimes, 'timeZone' | 'endsAt'>,
): number {
  const [hours = 0, minutes = 0] = endsAt.split(':').map(Number);
  const sameDayMs = startOfDay(wallMs) + (hours * 60 + minutes) * MINUTE_MS;
  const endMs = unixAt(sameDayMs > wallMs ? sameDayMs : sameDayMs + DAY_MS, timeZone);
  // The clock may have jumped over all of it.
  return endMs > startsAtMs ? endMs : unixAt(sameDayMs + DAY_MS, timeZone);
}

/** The date that a calendar on the wall shows, `YYYY-MM-DD`. */
export function localDate(unixMs: number, timeZone: string): string {
  return new Date(wallAt(unixMs, timeZone)).toISOString().slice(0, 10);
}

/** What the clock on the wall shows at a time. */
function wallAt(unixMs: number, timeZone: string): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(unixMs)
      .map((p) => [p.type, p.value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const wholeMs = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return wholeMs + (((unixMs % 1000) + 1000) % 1000);
}

/** When the clock first shows a time; a time that it never shows is as much later as the clock jumps over it. */
export function unixAt(wallMs: number, timeZone: string): number {
  const offsetAt = (unixMs: number): number => wallAt(unixMs, timeZone) - unixMs;
  const before = wallMs - offsetAt(wallMs - NEAR_MS);
  const after = wallMs - offsetAt(wallMs + NEAR_MS);
  const shown = [before, after].filter((unixMs) => wallAt(unixMs, timeZone) === wallMs);
  return shown.length > 0 ? Math.min(...shown) : before;
}

/** Whether this machine knows a time zone by that name. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

function startOfDay(wallMs: number): number {
  return Math.floor(wallMs / DAY_MS) * DAY_MS;
}

/** Making one costs more than using it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  formats.set(timeZone, format);
  return format;
}
