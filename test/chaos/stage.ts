import { segmentStartMs } from '../../src/model/grid.ts';
import type { Bound, Measurement } from '../bench/measure.ts';
import { processesWith } from '../support/processes.ts';
import { waitUntil } from '../support/wait-until.ts';
import { gapSeconds, readAftermath, type Aftermath } from './aftermath.ts';
import { FRAME_MS } from './class-page.ts';
import { startFleet, type Fleet, type FleetOptions } from './fleet.ts';
import { startLesson, type Lesson } from './lesson.ts';
import { framesAtJoin, lostSeconds, starvedSeconds } from './lost-time.ts';
import { watchOwners, type OwnerChange, type OwnerWatch } from './owners.ts';
import { openResources } from './resources.ts';
import type { RunOptions } from './runner.ts';
import { findJoins, findReturns } from './served-playlist.ts';

/** A role that has ended may leave its Chrome to be reaped for a moment. */
const ORPHANS_GONE_MS = 3_000;

/** A recording that goes on well, to be disturbed. */
export type Stage = {
  readonly fleet: Fleet;
  readonly lesson: Lesson;
  readonly owners: OwnerWatch;
  readonly say: RunOptions['say'];
};

export type StageOptions = FleetOptions & {
  readonly settings?: object;
  readonly steadySegments?: number;
};

/** What a scenario promises of the whole recording. */
export type Promises = {
  /** Time of the class that is on no picture, and media missing in the final playlist: at most so many seconds each. */
  readonly lostS: number;
  /** How often a lane may go to another worker; any number when left out. */
  readonly takeovers?: Bound;
  /** Frames missing or repeated where two makers meet; not judged when left out. */
  readonly framesAtJoin?: number;
};

export type Disturbance = {
  readonly promises: Promises;
  /** Breaks something, waits until the recording goes on, and gives the rows it measured itself. */
  readonly disturb: (stage: Stage) => Promise<readonly Measurement[]>;
  /** More rows, from what is left. */
  readonly judge?: (after: Aftermath) => readonly Measurement[];
};

/** One run: starts a fleet and a recording, disturbs it, ends it, and measures what is left, orphans included. */
export async function runOnStage(
  options: StageOptions & Disturbance & RunOptions,
): Promise<readonly Measurement[]> {
  const { say, promises } = options;
  const resources = openResources();
  let fleet: Fleet | undefined;
  const rows: Measurement[] = [];
  try {
    fleet = resources.use(await startFleet(options));
    const lesson = resources.use(await startLesson(fleet, options));
    const owners = resources.use(watchOwners(fleet.redis.client, lesson.id));
    say('the recording goes on');
    rows.push(...(await options.disturb({ fleet, lesson, owners, say })));
    say('ending the recording');
    const stoppedAtMs = await lesson.stop();
    const after = await readAftermath(fleet, lesson, stoppedAtMs);
    report(after, say);
    const takeovers = countTakeovers(owners.changes);
    rows.push(...rowsOfPromises(after, takeovers, promises), ...(options.judge?.(after) ?? []));
    rows.push(...rowsOfEverything(after, lesson));
  } finally {
    await fleet?.keepLogs(options.keepLogsIn).catch(say);
    await resources.close().catch(say);
    if (fleet !== undefined) rows.push(...(await rowsOfRemains(fleet)));
  }
  return rows;
}

/** A row that must hold. */
export function row(name: string, unit: string, value: number, bound?: Bound): Measurement {
  return { name, unit, samples: [value], ...(bound === undefined ? {} : { bound }) };
}

export const NONE: Bound = { is: '==', value: 0 };

/** At most so much. */
export function atMost(value: number): Bound {
  return { is: '<=', value };
}

function rowsOfPromises(after: Aftermath, takeovers: number, promises: Promises): Measurement[] {
  const joins = joinsOf(after);
  const frames = joins.map((atMs) => Math.abs(framesAtJoin(after.shown, atMs, FRAME_MS) ?? NaN));
  const bound = promises.framesAtJoin === undefined ? undefined : atMost(promises.framesAtJoin);
  return [
    row('lost', 's', lostSeconds(after.absences), atMost(promises.lostS)),
    row('gaps', 's', gapSeconds(after.final), atMost(promises.lostS)),
    row('gaps-while-live', 's', gapSeconds(after.served)),
    row('page-starved', 's', starvedSeconds(after.absences)),
    row('takeovers', 'times', takeovers, promises.takeovers),
    ...(joins.length === 0 ? [] : [row('frames-at-join', 'frames', Math.max(...frames), bound)]),
  ];
}

/** How often a lane went to another worker. */
function countTakeovers(changes: readonly OwnerChange[]): number {
  return changes.filter((change, i) => {
    const before = changes.slice(0, i).findLast(({ lane }) => lane === change.lane);
    return before !== undefined && before.workerId !== change.workerId;
  }).length;
}

/** Where two makers meet, Unix ms. */
export function joinsOf({ final }: Pick<Aftermath, 'final'>): readonly number[] {
  return findJoins(final.entries).map(({ n }) => segmentStartMs(n, final.originMs));
}

function rowsOfEverything(after: Aftermath, lesson: Lesson): Measurement[] {
  return [
    row('completed', 'recordings', after.recording.state === 'completed' ? 1 : 0, {
      is: '==',
      value: 1,
    }),
    row('published-lost', 'segments', after.lostSegments.length, NONE),
    row('published-twice', 'segments', after.twice.length, NONE),
    // As it was decided: what a later owner finds in an old spool fills a hole in the final playlist alone.
    row('owners-that-came-back', 'segments', findReturns(after.served.entries).length, NONE),
    row('playlist-changes', 'times', lesson.changes(), NONE),
    row('verify-violations', 'rules', after.violations.length, NONE),
    row('unlisted-objects', 'objects', after.unlisted.length),
  ];
}

/** What a closed fleet has left running; it is ended. */
export async function rowsOfRemains(fleet: Fleet): Promise<Measurement[]> {
  const running = async (): Promise<string[]> =>
    (await processesWith(fleet.folder)).map(({ command }) => command);
  const isNone = async (): Promise<boolean> => (await running()).length === 0;
  await waitUntil('nothing to run', isNone, ORPHANS_GONE_MS).catch(() => undefined);
  const orphans = await processesWith(fleet.folder);
  for (const { pid, command } of orphans) {
    console.error(`orphan ${pid}: ${command.slice(0, 200)}`);
    process.kill(pid, 'SIGKILL');
  }
  return [
    row('roles-that-did-not-end', 'roles', fleet.stuck().length, NONE),
    row('orphans', 'processes', orphans.length, NONE),
  ];
}

function report(
  { violations, absences, lostSegments, unlisted }: Aftermath,
  say: RunOptions['say'],
): void {
  for (const violation of violations.slice(0, 20)) say(violation);
  for (const { fromMs, toMs, isStarved } of absences) {
    say(
      `no picture of the class from ${new Date(fromMs).toISOString()}, for ${Math.round(toMs - fromMs)} ms${isStarved ? ' (its page stood still)' : ''}`,
    );
  }
  for (const uri of lostSegments) say(`was served and is not there: ${uri}`);
  if (unlisted.length > 0) say(`objects in no playlist: ${unlisted.join(' ')}`);
}
