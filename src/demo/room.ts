import { DEFAULT_LAYOUT, type ClassLayout } from '../model/layout.ts';
import type { StreamSource } from '../model/recording.ts';
import { MAX_SOURCES, streamName, type SourceChanges } from '../protocol/classroom.ts';
import {
  SNAPSHOT_CHAT_TAIL,
  SNAPSHOT_HIGHLIGHTS,
  SNAPSHOT_REWARDS,
  type ChatLine,
  MAX_ROSTER,
  type ClassRecordingState,
  type ClientMessage,
  type Participant,
  type Reward,
  type SavedMoment,
  type ServerMessage,
  type SpotlightChange,
} from '../protocol/signalling.ts';
import { planSnapshotParts, toPartMessage } from './snapshot-parts.ts';

/** A message and who gets it: a connection's id, or `everyone` who has joined. */
export type Outgoing = { readonly to: string; readonly message: ServerMessage };

export type RoomOptions = {
  readonly title: string;
  readonly nowMs: () => number;
  readonly newId: () => string;
  /** How often the server says something at least, ms: told to who joins. */
  readonly heartbeatMs?: number;
};

/** Connections a room takes: as many as a class may have participants. */
const MAX_CONNECTIONS = MAX_ROSTER;
const MAY_LEAD = new Set(['teacher', 'tutor']);

/**
 * The state of one class: who is in it and what was said. Knows nothing of sockets: it is told of connections by
 * id and answers with messages to deliver. A participant with several connections leaves with the last.
 */
export class Room {
  readonly #options: RoomOptions;
  readonly #connections = new Map<
    string,
    { readonly person: Person; readonly role: Participant['role'] }
  >();
  readonly #people = new Map<string, Person>();
  /** Connections of recorders that record now. */
  readonly #recording = new Set<string>();
  #chat: ChatLine[] = [];
  #highlights: SavedMoment[] = [];
  #rewards: Reward[] = [];
  readonly #hands = new Set<string>();
  /** By name, what became of streams since the class was described. */
  readonly #sources = new Map<string, Change>();
  #layout: ClassLayout = DEFAULT_LAYOUT;
  #spotlight: string | null = null;
  #spotlightChange: SpotlightChange | null = null;
  #startedAtMs: number | null = null;
  #endedAtMs: number | null = null;
  #recordingState: { readonly state: ClassRecordingState; readonly atMs: number } | null = null;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Ids of the connections that have joined. */
  get joined(): Iterable<string> {
    return this.#connections.keys();
  }

  /** Everybody visible, each once. */
  get roster(): readonly Participant[] {
    return [...this.#people.values()].flatMap(({ shown }) => shown ?? []);
  }

  /** Takes a connection's message; what is not allowed changes nothing and is answered with an error. */
  receive(connection: string, message: ClientMessage): Outgoing[] {
    const known = this.#connections.get(connection);
    if (message.type === 'join') return this.#join(connection, message);
    if (known === undefined) return refuse(connection, 'not-joined', 'Expected "join" first.');
    if (message.type === 'leave') return this.disconnect(connection);
    const me = { ...known.person.participant, role: known.role };
    if (message.type === 'recording') return this.#setRecording(connection, me, message.state);
    if (me.role === 'recorder') {
      return refuse(connection, 'read-only', `A recorder may not send "${message.type}".`);
    }
    return this.#act(connection, me, message);
  }

  /** The connection is gone. */
  disconnect(connection: string): Outgoing[] {
    const person = this.#connections.get(connection)?.person;
    if (person === undefined) return [];
    this.#connections.delete(connection);
    person.connections.delete(connection);
    const stopped = this.#stopRecording(connection);
    if (person.connections.size > 0) return stopped;
    const { participantId } = person.participant;
    this.#people.delete(participantId);
    this.#hands.delete(participantId);
    if (this.#spotlight === participantId) {
      this.#spotlight = null;
      this.#spotlightChange = null;
    }
    if (person.shown === undefined) return stopped;
    return [...stopped, ...everyone({ type: 'leave', participantId, ...this.#event() })];
  }

  /** Ends the class, as when its time is over. Ending it again changes nothing. */
  end(reason?: string): Outgoing[] {
    if (this.#endedAtMs !== null) return [];
    this.#endedAtMs = this.#options.nowMs();
    return everyone({
      type: 'class-end',
      ...this.#event(),
      atMs: this.#endedAtMs,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  /**
   * Streams are added, changed, taken away: by whoever runs the room, since they are URLs that will be fetched. Recorders alone are
   * told, since tokens go with them.
   */
  changeSources({ set, remove }: SourceChanges): Outgoing[] {
    const names = remove.map(({ participantId, role }) => ({ participantId, role }));
    for (const name of names) this.#sources.set(streamName(name), { name });
    for (const source of set) this.#sources.set(streamName(source), { source });
    const message = { type: 'sources' as const, set: [...set], remove: names };
    return [...this.#connections]
      .filter(([, { role }]) => role === 'recorder')
      .map(([to]) => ({ to, message }));
  }

  #join(connection: string, message: Extract<ClientMessage, { type: 'join' }>): Outgoing[] {
    if (this.#connections.has(connection)) {
      return refuse(connection, 'already-joined', 'Expected one "join" a connection.');
    }
    if (this.#connections.size >= MAX_CONNECTIONS) {
      return refuse(connection, 'room-full', `Expected at most ${MAX_CONNECTIONS} connections.`);
    }
    const { name, role, visible = false } = message;
    const { newId, nowMs } = this.#options;
    const participantId = message.participantId ?? newId();
    const present = this.#people.get(participantId);
    const { muted, joinedAtMs } = present?.participant ?? { muted: false, joinedAtMs: nowMs() };
    const participant = { participantId, name, role, muted, joinedAtMs };
    const isShown = role !== 'recorder' || visible;
    const person: Person = present ?? { participant, connections: new Set() };
    if (isShown) person.participant = person.shown = participant;
    person.connections.add(connection);
    this.#connections.set(connection, { person, role });
    this.#people.set(participantId, person);
    const snapshot = this.#snapshot(participantId, role).map((message) => ({
      to: connection,
      message,
    }));
    if (!isShown) return snapshot;
    return [...snapshot, ...everyone({ type: 'join', participant })];
  }

  #act(
    connection: string,
    me: Participant,
    message: Exclude<ClientMessage, { type: 'join' | 'leave' | 'recording' }>,
  ): Outgoing[] {
    const { participantId } = me;
    switch (message.type) {
      case 'mute':
        this.#setMuted(participantId, message.muted);
        return everyone({ type: 'mute', participantId, muted: message.muted, ...this.#event() });
      case 'chat':
        return this.#say(me, message.text);
      case 'raise-hand':
        if (message.raised) this.#hands.add(participantId);
        else this.#hands.delete(participantId);
        return everyone({
          type: 'raise-hand',
          participantId,
          raised: message.raised,
          ...this.#event(),
        });
      default:
        if (MAY_LEAD.has(me.role)) return this.#lead(me, message);
        return refuse(connection, 'not-allowed', `A ${me.role} may not send "${message.type}".`);
    }
  }

  #lead(
    me: Participant,
    message: Extract<
      ClientMessage,
      { type: 'layout' | 'spotlight' | 'highlight' | 'reward' | 'class-start' | 'class-end' }
    >,
  ): Outgoing[] {
    switch (message.type) {
      case 'layout':
        this.#layout = message.layout;
        return everyone({ ...message, ...this.#event() });
      case 'spotlight':
        return this.#light(message.participantId);
      case 'highlight':
        return this.#save(me, message);
      case 'reward':
        return this.#reward(me, message);
      case 'class-start':
        this.#startedAtMs ??= this.#options.nowMs();
        return everyone({ type: 'class-start', ...this.#event(), atMs: this.#startedAtMs });
      case 'class-end':
        return this.end(message.reason);
    }
  }

  #say(me: Participant, text: string): Outgoing[] {
    const { participantId, name, role } = me;
    const atMs = this.#options.nowMs();
    const line = { chatId: this.#options.newId(), participantId, name, role, text, atMs };
    this.#chat = [...this.#chat, line].slice(-SNAPSHOT_CHAT_TAIL);
    return everyone({ type: 'chat', line });
  }

  #save(me: Participant, message: Extract<ClientMessage, { type: 'highlight' }>): Outgoing[] {
    const { type: _, ...window } = message;
    const known = this.#highlights.find(({ triggerId }) => triggerId === window.triggerId);
    if (known !== undefined) return [];
    const moment = { ...window, requestedBy: me.name, atMs: this.#options.nowMs() };
    this.#highlights = [...this.#highlights, moment].slice(-SNAPSHOT_HIGHLIGHTS);
    return everyone({ type: 'highlight', moment });
  }

  #light(participantId: string | null): Outgoing[] {
    this.#spotlight = participantId;
    const event = this.#event();
    const change = participantId === null ? null : { participantId, ...event };
    this.#spotlightChange = change;
    return everyone({
      type: 'spotlight',
      participantId,
      ...(change === null ? event : { change }),
    });
  }

  #reward(me: Participant, message: Extract<ClientMessage, { type: 'reward' }>): Outgoing[] {
    const { type: _, ...given } = message;
    if (this.#rewards.some(({ rewardId }) => rewardId === given.rewardId)) return [];
    const reward = { ...given, givenBy: me.name, atMs: this.#options.nowMs() };
    this.#rewards = [...this.#rewards, reward].slice(-SNAPSHOT_REWARDS);
    return everyone({ type: 'reward', reward });
  }

  #setMuted(participantId: string, muted: boolean): void {
    const person = this.#people.get(participantId);
    if (person === undefined) return;
    person.participant = { ...person.participant, muted };
    if (person.shown !== undefined) person.shown = person.participant;
  }

  #setRecording(connection: string, me: Participant, state: ClassRecordingState): Outgoing[] {
    if (me.role !== 'recorder') {
      return refuse(connection, 'not-allowed', `A ${me.role} may not send "recording".`);
    }
    if (state === 'stopped') return this.#stopRecording(connection);
    this.#recording.add(connection);
    return this.#recording.size === 1 ? this.#announceRecording('started') : [];
  }

  /** A recorder that is gone does not record; others may. */
  #stopRecording(connection: string): Outgoing[] {
    const wasLast = this.#recording.delete(connection) && this.#recording.size === 0;
    return wasLast ? this.#announceRecording('stopped') : [];
  }

  #announceRecording(state: ClassRecordingState): Outgoing[] {
    const event = this.#event();
    this.#recordingState = { state, atMs: event.atMs };
    return everyone({ type: 'recording', state, ...event });
  }

  /** The same for everybody who hears of it. */
  #event(): { readonly eventId: string; readonly atMs: number } {
    return { eventId: this.#options.newId(), atMs: this.#options.nowMs() };
  }

  /** The latest of them: no more than a class may have. */
  #sourceChanges(): { set: StreamSource[]; remove: SourceChanges['remove'][number][] } {
    const changes = [...this.#sources.values()];
    const set = changes.flatMap((change) => ('source' in change ? [change.source] : []));
    const remove = changes.flatMap((change) => ('name' in change ? [change.name] : []));
    return { set: set.slice(-MAX_SOURCES), remove: remove.slice(-MAX_SOURCES) };
  }

  #snapshot(participantId: string, role: Participant['role']): ServerMessage[] {
    const { title, heartbeatMs, nowMs } = this.#options;
    const [lists, ...more] = planSnapshotParts({
      highlights: this.#highlights,
      rewards: this.#rewards,
      roster: [...this.roster],
      hands: [...this.#hands],
      chat: this.#chat,
    });
    const snapshot: ServerMessage = {
      type: 'snapshot',
      participantId,
      title,
      ...(lists ?? { roster: [], hands: [], chat: [], highlights: [] }),
      layout: this.#layout,
      spotlight: this.#spotlight,
      spotlightChange: this.#spotlightChange,
      ...(role === 'recorder' ? { sources: this.#sourceChanges() } : {}),
      startedAtMs: this.#startedAtMs,
      endedAtMs: this.#endedAtMs,
      recording: this.#recordingState,
      parts: more.length,
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      nowMs: nowMs(),
    };
    return [snapshot, ...more.map(toPartMessage)];
  }
}

/** A participant, with however many connections. */
type Person = {
  participant: Participant;
  /** As everybody sees them; not at all where there are only recorders that did not ask to be seen. */
  shown?: Participant;
  readonly connections: Set<string>;
};

type Change =
  { readonly source: StreamSource } | { readonly name: SourceChanges['remove'][number] };

const everyone = (message: ServerMessage): Outgoing[] => [{ to: 'everyone', message }];

const refuse = (to: string, code: string, message: string): Outgoing[] => [
  { to, message: { type: 'error', code, message } },
];
