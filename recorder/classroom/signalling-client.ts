import {
  parseServerMessages,
  type ClassRecordingState,
  type ClientMessage,
  type Parsed,
  type ServerMessage,
} from '../../src/protocol/signalling.ts';
import { SnapshotAssembly, type WholeSnapshot } from './snapshot-assembly.ts';
import type { SignallingState } from './state.ts';

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 5000;
/** A connection that has brought no whole snapshot after this is given up. */
const SNAPSHOT_TIMEOUT_MS = 5000;
/** A server that has promised to say something each so many ms, and says nothing for so many times that, is gone. */
const MISSED_HEARTBEATS = 3;
/** More than this in a second is no class: the connection is given up, and the class looked at again later. */
const MAX_MESSAGES_PER_SECOND = 5000;

/** What a class says once it is known how it stands. */
export type ClassMessage = Exclude<ServerMessage, { type: 'snapshot' | 'snapshot-part' }>;

export type SignallingHandlers = {
  /** How the class stands: after each connection. */
  onSnapshot(snapshot: WholeSnapshot): void;
  /** What happened then, in the order it was said: together what came together. */
  onMessages(messages: readonly ClassMessage[]): void;
  onState(state: SignallingState): void;
};

/** Messages that were not acted on, so far. */
export type IgnoredMessages = {
  readonly unknown: number;
  readonly malformed: number;
  readonly oversized: number;
};

export type SignallingClient = {
  readonly state: () => SignallingState;
  readonly ignored: () => IgnoredMessages;
  /** Tells the class whether it is being recorded, now and whenever it is joined again. */
  readonly announce: (state: ClassRecordingState) => void;
  /** Listens no more. */
  readonly close: () => void;
};

/**
 * Listens to a class's signalling as its recorder, until it is closed: invisible unless it has a name to be seen by. Reconnects with growing
 * pauses, and whenever the server falls silent. Whatever the server says, nothing is thrown.
 */
export function listenToSignalling(
  url: string,
  handlers: SignallingHandlers,
  options: { readonly visibleName?: string | undefined } = {},
): SignallingClient {
  const ignored = { unknown: 0, malformed: 0, oversized: 0 };
  let state: SignallingState = 'connecting';
  let announced: ClassRecordingState | undefined;
  let failures = 0;
  let current: WebSocket | undefined;
  let closing = (): void => undefined;
  const become = (next: SignallingState): void => {
    state = next;
    handlers.onState(next);
  };
  const say = (message: ClientMessage): void => {
    if (current?.readyState === WebSocket.OPEN) current.send(JSON.stringify(message));
  };
  const open = (): void => {
    const socket = (current = new WebSocket(url));
    const connection = new Connection({
      handlers: {
        ...handlers,
        onSnapshot: (snapshot) => {
          failures = 0;
          become('open');
          handlers.onSnapshot(snapshot);
          if (announced === 'started') say({ type: 'recording', state: announced });
        },
      },
      ignored,
      onDead: () => give(),
    });
    // A connection to a dead host may take minutes to close: it is not waited for.
    const give = (): void => {
      leave();
      become('reconnecting');
      const again = setTimeout(open, retryAfterMs(failures++));
      closing = () => clearTimeout(again);
    };
    const leave = (): void => {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      connection.close();
    };
    closing = leave;
    socket.onopen = () => say(joinMessage(options.visibleName));
    socket.onmessage = ({ data }) => connection.take(data);
    socket.onclose = give;
  };
  open();
  return {
    state: () => state,
    ignored: () => ({ ...ignored }),
    announce: (recording) => {
      if (announced === recording) return;
      announced = recording;
      if (state === 'open') say({ type: 'recording', state: recording });
    },
    close: () => closing(),
  };
}

type ConnectionOptions = {
  readonly handlers: Omit<SignallingHandlers, 'onState'>;
  readonly ignored: { -readonly [Key in keyof IgnoredMessages]: number };
  readonly onDead: () => void;
};

/** One connection, from its opening until it is given up. */
class Connection {
  readonly #options: ConnectionOptions;
  readonly #assembly = new SnapshotAssembly();
  /** What came before the snapshot was whole. */
  readonly #early: ClassMessage[] = [];
  #silence: ReturnType<typeof setTimeout>;
  #silenceMs = SNAPSHOT_TIMEOUT_MS;
  #isOpen = false;
  #second = 0;
  #messages = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#silence = setTimeout(options.onDead, SNAPSHOT_TIMEOUT_MS);
  }

  take(data: unknown): void {
    const parsed = parseServerMessages(typeof data === 'string' ? data : '');
    if (this.#isTooMuch(parsed.length)) {
      this.#options.onDead();
      return;
    }
    const messages = parsed.flatMap((one) => this.#accept(one));
    if (this.#isOpen) this.#listen();
    if (messages.length > 0) this.#tell(messages);
  }

  close(): void {
    clearTimeout(this.#silence);
  }

  #accept(parsed: Parsed<ServerMessage>): readonly ClassMessage[] {
    const { ignored } = this.#options;
    if (parsed.kind === 'unknown') ignored.unknown += 1;
    else if (parsed.kind === 'refused') this.#refuse(parsed);
    if (parsed.kind !== 'message') return [];
    const { message } = parsed;
    if (message.type === 'error') console.warn(`signalling: ${message.message}`);
    if (message.type !== 'snapshot' && message.type !== 'snapshot-part') return [message];
    const whole = this.#assembly.take(message);
    if (whole !== undefined) this.#begin(whole);
    return [];
  }

  #refuse({ code, message }: Extract<Parsed<ServerMessage>, { kind: 'refused' }>): void {
    const { ignored } = this.#options;
    const kind = code === 'too-large' ? 'oversized' : 'malformed';
    if (ignored[kind] === 0) console.warn(`signalling: ${message}`);
    ignored[kind] += 1;
  }

  #begin(snapshot: WholeSnapshot): void {
    this.#isOpen = true;
    const { heartbeatMs } = snapshot;
    this.#silenceMs = heartbeatMs === undefined ? Infinity : heartbeatMs * MISSED_HEARTBEATS;
    this.#options.handlers.onSnapshot(snapshot);
    const early = this.#early.splice(0);
    if (early.length > 0) this.#options.handlers.onMessages(early);
  }

  #tell(messages: readonly ClassMessage[]): void {
    if (this.#isOpen) this.#options.handlers.onMessages(messages);
    // before the snapshot it says nothing that the snapshot does not; while that comes in parts, it does
    else if (this.#assembly.hasBegun) this.#early.push(...messages);
  }

  /** Whoever says something is alive. */
  #listen(): void {
    clearTimeout(this.#silence);
    if (this.#silenceMs === Infinity) return;
    this.#silence = setTimeout(this.#options.onDead, this.#silenceMs);
  }

  #isTooMuch(messages: number): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) this.#messages = 0;
    this.#second = second;
    this.#messages += messages;
    return this.#messages > MAX_MESSAGES_PER_SECOND;
  }
}

function joinMessage(visibleName: string | undefined): ClientMessage {
  const role = 'recorder';
  if (visibleName === undefined) return { type: 'join', name: 'Chalkreel', role };
  // one participant, however many workers record
  const participantId = 'chalkreel-recorder';
  return { type: 'join', name: visibleName, role, participantId, visible: true };
}

/** Doubles from 250 ms to 5 s; half of it is random, so that a fleet does not return as one. */
function retryAfterMs(failures: number): number {
  const ms = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
  return ms / 2 + (Math.random() * ms) / 2;
}
