import type { PageEvent } from '../../src/protocol/page.ts';
import type { ChatLine, Participant, Reward } from '../../src/protocol/signalling.ts';
import type { ClassMessage } from './signalling-client.ts';
import type { WholeSnapshot } from './snapshot-assembly.ts';
import type { ClassModel } from './state.ts';

/** A message that comes with its server's time is placed by that, unless it would be older than this, ms. */
const MAX_DELAY_MS = 5_000;

/** The server's time as this machine's: `nowMs` of both are the same moment. */
export type Clocks = { readonly serverNowMs: number; readonly nowMs: number };

/**
 * What a snapshot says to the recording's log: all that is not as the page knew it, as found. `isFirst`: the page has just begun to
 * listen, and says so by a last event that counts who is there.
 */
export function planSnapshotEvents(
  before: ClassModel,
  snapshot: WholeSnapshot,
  { nowMs, isFirst }: { readonly nowMs: number; readonly isFirst: boolean },
): readonly PageEvent[] {
  const clocks = { serverNowMs: snapshot.nowMs, nowMs };
  const at = (ms: number | undefined): number => toHere(ms ?? snapshot.nowMs, clocks);
  const found = (type: string, fields: object, ms?: number): PageEvent => ({
    ...fields,
    ...{ type, found: true, atMs: at(ms) },
  });
  const { roster, hands, layout, spotlight, recording, startedAtMs, endedAtMs } = snapshot;
  const events: PageEvent[] = [
    ...roster.flatMap((one) => comparePerson(before.roster.get(one.participantId), one, found)),
    ...compareAbsent(before, roster, found),
    ...compareHands(before.hands, new Set(hands), found),
  ];
  if (isFirst || before.layout !== layout) events.push(found('layout', { layout }));
  // whoever was put there again while nobody listened is known by the change's id
  const isLitAnew = spotlight !== null && Boolean(snapshot.spotlightChange);
  if (isLitAnew || before.spotlight !== spotlight) events.push(spotlightFound(snapshot, found));
  if (startedAtMs !== null && before.startedAtMs === null)
    events.push(found('class-start', {}, startedAtMs));
  if (endedAtMs !== null && before.endedAtMs === null)
    events.push(found('class-end', {}, endedAtMs));
  if (recording && recording.state !== before.recording) {
    events.push(found('recording', { state: recording.state }, recording.atMs));
  }
  const known = new Set(before.chat.map(({ chatId }) => chatId));
  for (const line of snapshot.chat) {
    if (!known.has(line.chatId)) events.push(found('chat', chatFields(line), line.atMs));
  }
  for (const reward of snapshot.rewards ?? [])
    events.push(found('reward', rewardFields(reward), reward.atMs));
  if (isFirst) events.push(found('roster', { participants: roster.length }));
  return events;
}

/** What a message says to the recording's log; moments are told apart from it. Undefined when it says nothing. */
export function planEvent(message: ClassMessage, clocks: Clocks): PageEvent | undefined {
  const event = (type: string, fields: object, ms?: number): PageEvent => ({
    ...fields,
    type,
    atMs: placeLive(ms, clocks),
  });
  switch (message.type) {
    case 'join':
      return event('join', joinFields(message.participant), message.participant.joinedAtMs);
    case 'chat':
      return event('chat', chatFields(message.line), message.line.atMs);
    case 'reward':
      return event('reward', rewardFields(message.reward), message.reward.atMs);
    case 'spotlight': {
      const { participantId, change, eventId, atMs } = message;
      if (participantId === null) return event('spotlight-end', { eventId }, atMs);
      return event(
        'spotlight',
        { participantId, eventId: change?.eventId ?? eventId },
        change?.atMs,
      );
    }
    case 'leave':
    case 'mute':
    case 'raise-hand':
    case 'layout':
    case 'class-start':
    case 'class-end':
    case 'recording': {
      const { type, ...fields } = message;
      return event(type, fields, 'atMs' in fields ? fields.atMs : undefined);
    }
    case 'highlight':
    case 'sources':
    case 'heartbeat':
    case 'error':
      return undefined;
  }
}

/** A server's time on this machine's clock. */
export function toHere(ms: number, { serverNowMs, nowMs }: Clocks): number {
  return Math.max(0, Math.round(nowMs - (serverNowMs - ms)));
}

/** What is heard now happened just before; a clock that says otherwise is wrong. */
function placeLive(ms: number | undefined, clocks: Clocks): number {
  const { nowMs } = clocks;
  if (ms === undefined) return nowMs;
  const here = toHere(ms, clocks);
  return here > nowMs || here < nowMs - MAX_DELAY_MS ? nowMs : here;
}

type Found = (type: string, fields: object, ms?: number) => PageEvent;

function comparePerson(
  before: Participant | undefined,
  now: Participant,
  found: Found,
): readonly PageEvent[] {
  const { participantId, muted, joinedAtMs } = now;
  const isNew = before === undefined || before.joinedAtMs !== joinedAtMs;
  return [
    ...(isNew ? [found('join', joinFields(now), joinedAtMs)] : []),
    ...((before?.muted ?? false) === muted ? [] : [found('mute', { participantId, muted })]),
  ];
}

function compareAbsent(
  before: ClassModel,
  roster: readonly Participant[],
  found: Found,
): readonly PageEvent[] {
  const present = new Set(roster.map(({ participantId }) => participantId));
  const gone = [...before.roster.keys()].filter((participantId) => !present.has(participantId));
  return gone.map((participantId) => found('leave', { participantId }));
}

function compareHands(
  before: ReadonlySet<string>,
  now: ReadonlySet<string>,
  found: Found,
): readonly PageEvent[] {
  const changed = (ids: ReadonlySet<string>, others: ReadonlySet<string>): string[] =>
    [...ids].filter((participantId) => !others.has(participantId));
  return [
    ...changed(now, before).map((participantId) =>
      found('raise-hand', { participantId, raised: true }),
    ),
    ...changed(before, now).map((participantId) =>
      found('raise-hand', { participantId, raised: false }),
    ),
  ];
}

function spotlightFound({ spotlight, spotlightChange }: WholeSnapshot, found: Found): PageEvent {
  if (spotlight === null) return found('spotlight-end', {});
  const { eventId, atMs } = spotlightChange ?? {};
  return found('spotlight', { participantId: spotlight, eventId }, atMs);
}

/** Somebody's coming is one event wherever it is heard of. */
function joinFields({ participantId, name, role, joinedAtMs }: Participant): object {
  const eventId = joinedAtMs === undefined ? undefined : `${participantId}@${joinedAtMs}`;
  return { participantId, name, role, eventId };
}

function chatFields({ chatId, participantId, name, role, text }: ChatLine): object {
  return { participantId, name, role, text, eventId: chatId };
}

/** Whoever hears it twice knows it by its id. */
function rewardFields({ rewardId, participantId, title, givenBy }: Reward): object {
  return { participantId, title, givenBy, eventId: rewardId };
}
