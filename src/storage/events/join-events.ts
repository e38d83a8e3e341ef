import type { HeardEvent } from '../../protocol/events-log.ts';

/** What one worker heard with one browser, in the order it heard it. */
export type HeardEvents = { readonly writer: string; readonly events: readonly HeardEvent[] };

/** Without an id, the same heard by two within so long is one event. */
const TWICE_MS = 2_000;

type Placed = { readonly writer: string; readonly at: number; readonly event: HeardEvent };

/**
 * The events of a class in order of time, each once, whoever heard it: two lanes hear the same, and who takes over is told how the class
 * stands. Pure: the same heard gives the same log.
 */
export function joinEvents(heard: readonly HeardEvents[]): HeardEvent[] {
  const placed = heard.flatMap(({ writer, events }) =>
    events.map((event, at): Placed => ({ writer, at, event })),
  );
  // Stable: what happened at the same time stays in the order in which it was heard.
  placed.sort((a, b) => a.event.atMs - b.event.atMs);
  const rosters = findRosters(heard);
  const log = new JoinedLog();
  for (const one of placed) {
    if (one.event.type === 'roster') log.leaveOthers(one.event, rosters.get(one.event));
    else log.add(one);
  }
  return log.events;
}

class JoinedLog {
  readonly events: HeardEvent[] = [];
  readonly #ids = new Set<string>();
  readonly #states = new Map<string, unknown>();
  readonly #lately = new Map<string, { readonly atMs: number; readonly writer: string }>();

  add({ event, writer }: Placed): void {
    const id = event.eventId === undefined ? undefined : `${event.type} ${event.eventId}`;
    if (id !== undefined && this.#ids.has(id)) return;
    const state = stateOf(event);
    if (state !== undefined && (id === undefined || event.found === true)) {
      if (this.#is(state)) return;
    } else if (id === undefined && this.#isHeardTwice(event, writer)) return;
    if (id !== undefined) this.#ids.add(id);
    if (state !== undefined) this.#states.set(state.of, state.is);
    if (event.type === 'leave') this.#forget(String(event.participantId));
    this.events.push(event);
  }

  /** Who was there and is not among those that a newcomer found has left while nobody listened. */
  leaveOthers({ atMs }: HeardEvent, present: ReadonlySet<string> | undefined): void {
    if (present === undefined) return;
    for (const [of, is] of this.#states) {
      const participantId = of.startsWith(HERE) ? of.slice(HERE.length) : undefined;
      if (participantId === undefined || is !== true || present.has(participantId)) continue;
      this.#states.set(of, false);
      this.#forget(participantId);
      this.events.push({ type: 'leave', atMs, found: true, participantId });
    }
  }

  #is({ of, is }: State): boolean {
    return (this.#states.get(of) ?? false) === is;
  }

  /** Whoever comes back has no hand raised, is not muted, and not in the spotlight. */
  #forget(participantId: string): void {
    this.#states.delete(`hand ${participantId}`);
    this.#states.delete(`muted ${participantId}`);
    if (this.#states.get('spotlight') === participantId) this.#states.delete('spotlight');
  }

  #isHeardTwice({ atMs, ...said }: HeardEvent, writer: string): boolean {
    const key = JSON.stringify(said);
    const last = this.#lately.get(key);
    if (last !== undefined && last.writer !== writer && atMs - last.atMs <= TWICE_MS) return true;
    this.#lately.set(key, { atMs, writer });
    return false;
  }
}

type State = { readonly of: string; readonly is: unknown };

const HERE = 'here ';

/** What an event says of how the class stands from then on; undefined for one that only happens. */
function stateOf({ atMs: _, eventId: __, found: ___, ...event }: HeardEvent): State | undefined {
  const who = String(event.participantId);
  switch (event.type) {
    case 'join':
      return { of: HERE + who, is: true };
    case 'leave':
      return { of: HERE + who, is: false };
    case 'mute':
      return { of: `muted ${who}`, is: event.muted };
    case 'raise-hand':
      return { of: `hand ${who}`, is: event.raised };
    case 'spotlight':
      return { of: 'spotlight', is: who };
    case 'spotlight-end':
      return { of: 'spotlight', is: false };
    case 'layout':
    case 'geometry':
      return { of: event.type, is: JSON.stringify(event) };
    case 'class-start':
    case 'class-end':
      return { of: event.type, is: true };
    case 'recording':
      return { of: event.type, is: event.state };
    default:
      return undefined;
  }
}

/** By each newcomer's `roster`, which counts them: those it found in the class; none where some were left out. */
function findRosters(heard: readonly HeardEvents[]): Map<HeardEvent, ReadonlySet<string>> {
  const rosters = new Map<HeardEvent, ReadonlySet<string>>();
  for (const { events } of heard) {
    const present = new Set<string>();
    for (const event of events) {
      if (event.type === 'join' && event.found === true) present.add(String(event.participantId));
      if (event.type !== 'roster') continue;
      if (event.participants === present.size) rosters.set(event, present);
      break;
    }
  }
  return rosters;
}
