import {
  SNAPSHOT_CHAT_TAIL,
  SNAPSHOT_HIGHLIGHTS,
  SNAPSHOT_REWARDS,
  type ChatLine,
  type ClassroomLayout,
  type ClientMessage,
  type Participant,
  type Reward,
  type SavedMoment,
  type ServerMessage,
  type SpotlightChange,
} from '../protocol/signalling.ts';

/** A message and who gets it: a connection's id, or `everyone` who has joined. */
export type Outgoing = { readonly to: string; readonly message: ServerMessage };

export type RoomOptions = {
  readonly title: string;
  readonly nowMs: () => number;
  readonly newId: () => string;
};

/** Connections a room takes: the snapshot's roster must fit into a message. */
const MAX_CONNECTIONS = 300;
const MAY_LEAD = new Set(['teacher', 'tutor']);

/**
 * The state of one class: who is in it and what was said. Knows nothing of sockets: it is told of connections by
 * id and answers with messages to deliver. A participant with several connections leaves with the last.
 */
export class Room {
  readonly #options: RoomOptions;
  readonly #connections = new Map<string, Participant>();
  #chat: ChatLine[] = [];
  #highlights: SavedMoment[] = [];
  #rewards: Reward[] = [];
  readonly #hands = new Set<string>();
  #layout: ClassroomLayout = 'board';
  #spotlight: string | null = null;
  #spotlightChange: SpotlightChange | null = null;
  #startedAtMs: number | null = null;
  #endedAtMs: number | null = null;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Ids of the connections that have joined. */
  get joined(): Iterable<string> {
    return this.#connections.keys();
  }

  /** Everybody visible, each once. */
  get roster(): readonly Participant[] {
    const visible = [...this.#connections.values()].filter(({ role }) => role !== 'recorder');
    return [...new Map(visible.map((one) => [one.participantId, one])).values()];
  }

  /** Takes a connection's message; what is not allowed changes nothing and is answered with an error. */
  receive(connection: string, message: ClientMessage): Outgoing[] {
    const me = this.#connections.get(connection);
    if (message.type === 'join') return this.#join(connection, message);
    if (me === undefined) return refuse(connection, 'not-joined', 'Expected "join" first.');
    if (message.type === 'leave') return this.disconnect(connection);
    if (me.role === 'recorder') {
      return refuse(connection, 'read-only', `A recorder may not send "${message.type}".`);
    }
    return this.#act(connection, me, message);
  }

  /** The connection is gone. */
  disconnect(connection: string): Outgoing[] {
    const me = this.#connections.get(connection);
    this.#connections.delete(connection);
    if (me === undefined || me.role === 'recorder') return [];
    const { participantId } = me;
    if (this.roster.some((one) => one.participantId === participantId)) return [];
    this.#hands.delete(participantId);
    if (this.#spotlight === participantId) {
      this.#spotlight = null;
      this.#spotlightChange = null;
    }
    return everyone({ type: 'leave', participantId });
  }

  /** Ends the class, as when its time is over. Ending it again changes nothing. */
  end(reason?: string): Outgoing[] {
    if (this.#endedAtMs !== null) return [];
    this.#endedAtMs = this.#options.nowMs();
    return everyone({
      type: 'class-end',
      atMs: this.#endedAtMs,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #join(connection: string, message: Extract<ClientMessage, { type: 'join' }>): Outgoing[] {
    if (this.#connections.has(connection)) {
      return refuse(connection, 'already-joined', 'Expected one "join" a connection.');
    }
    if (this.#connections.size >= MAX_CONNECTIONS) {
      return refuse(connection, 'room-full', `Expected at most ${MAX_CONNECTIONS} connections.`);
    }
    const participantId = message.participantId ?? this.#options.newId();
    const present = this.roster.find((one) => one.participantId === participantId);
    const { name, role } = message;
    const muted = present?.muted ?? false;
    const participant = { participantId, name, role, muted };
    this.#connections.set(connection, participant);
    const snapshot = { to: connection, message: this.#snapshot(participantId) };
    if (role === 'recorder') return [snapshot];
    return [snapshot, ...everyone({ type: 'join', participant })];
  }

  #act(
    connection: string,
    me: Participant,
    message: Exclude<ClientMessage, { type: 'join' | 'leave' }>,
  ): Outgoing[] {
    const { participantId } = me;
    switch (message.type) {
      case 'mute':
        this.#setMuted(participantId, message.muted);
        return everyone({ type: 'mute', participantId, muted: message.muted });
      case 'chat':
        return this.#say(me, message.text);
      case 'raise-hand':
        if (message.raised) this.#hands.add(participantId);
        else this.#hands.delete(participantId);
        return everyone({ type: 'raise-hand', participantId, raised: message.raised });
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
        return everyone(message);
      case 'spotlight':
        return this.#light(message.participantId);
      case 'highlight':
        return this.#save(me, message);
      case 'reward':
        return this.#reward(me, message);
      case 'class-start':
        this.#startedAtMs ??= this.#options.nowMs();
        return everyone({ type: 'class-start', atMs: this.#startedAtMs });
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
    const { newId, nowMs } = this.#options;
    const change =
      participantId === null ? null : { eventId: newId(), participantId, atMs: nowMs() };
    this.#spotlightChange = change;
    return everyone({ type: 'spotlight', participantId, ...(change === null ? {} : { change }) });
  }

  #reward(me: Participant, message: Extract<ClientMessage, { type: 'reward' }>): Outgoing[] {
    const { type: _, ...given } = message;
    if (this.#rewards.some(({ rewardId }) => rewardId === given.rewardId)) return [];
    const reward = { ...given, givenBy: me.name, atMs: this.#options.nowMs() };
    this.#rewards = [...this.#rewards, reward].slice(-SNAPSHOT_REWARDS);
    return everyone({ type: 'reward', reward });
  }

  #setMuted(participantId: string, muted: boolean): void {
    for (const [connection, one] of this.#connections) {
      if (one.participantId === participantId) this.#connections.set(connection, { ...one, muted });
    }
  }

  #snapshot(participantId: string): ServerMessage {
    return {
      type: 'snapshot',
      participantId,
      title: this.#options.title,
      roster: [...this.roster],
      chat: this.#chat,
      hands: [...this.#hands],
      layout: this.#layout,
      spotlight: this.#spotlight,
      highlights: this.#highlights,
      rewards: this.#rewards,
      spotlightChange: this.#spotlightChange,
      startedAtMs: this.#startedAtMs,
      endedAtMs: this.#endedAtMs,
      nowMs: this.#options.nowMs(),
    };
  }
}

const everyone = (message: ServerMessage): Outgoing[] => [{ to: 'everyone', message }];

const refuse = (to: string, code: string, message: string): Outgoing[] => [
  { to, message: { type: 'error', code, message } },
];
