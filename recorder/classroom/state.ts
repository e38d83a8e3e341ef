import { DEFAULT_LAYOUT, type ClassLayout, type ClassView } from '../../src/model/layout.ts';
import type { StreamSource } from '../../src/model/recording.ts';
import type { SourceErrorCode, SourceState } from '../../src/model/source-report.ts';
import type {
  ChatLine,
  ClassRecordingState,
  Participant,
  SavedMoment,
} from '../../src/protocol/signalling.ts';
import { MAX_ROSTER } from '../../src/protocol/signalling.ts';
import type { ClassMessage, IgnoredMessages } from './signalling-client.ts';
import type { WholeSnapshot } from './snapshot-assembly.ts';
import type { BoardView } from '../../src/protocol/whiteboard.ts';

/** What `window.classroomState()` returns. */
export type ClassroomState = {
  readonly title: string;
  readonly signalling: SignallingState;
  readonly roster: readonly Participant[];
  readonly chat: readonly ChatLine[];
  readonly hands: readonly string[];
  /** As it is shown: what the platform asks for goes before what signalling says. */
  readonly layout: ClassLayout;
  readonly view: ClassView;
  /** Of the gallery, from 1. */
  readonly page: number;
  readonly spotlight: string | null;
  readonly highlights: readonly SavedMoment[];
  readonly board: BoardState;
  readonly tiles: readonly TileState[];
  readonly isReady: boolean;
  readonly isOver: boolean;
  readonly recording: ClassRecordingState;
  /** Messages of signalling that were not acted on, and why. */
  readonly unknownMessages: number;
  readonly ignored: IgnoredMessages;
};
export type BoardState = {
  readonly synced: boolean;
  /** Page and region that are shown; null until the board is there. */
  readonly view: BoardView | null;
  /** Of the page. */
  readonly elements: number;
  readonly texts: readonly string[];
  /** Elements and images that the schema refuses. */
  readonly skipped: number;
};
export type SignallingState = 'connecting' | 'open' | 'reconnecting';
export type TileState = {
  readonly participantId: string;
  readonly name: string;
  readonly role: StreamSource['role'];
  readonly state: SourceState;
  readonly error: SourceErrorCode | null;
  /** Whether it is on screen; its sound is heard anyway. */
  readonly isShown: boolean;
  /** Position in the stream, s. */
  readonly currentTime: number;
  readonly decodedFrames: number;
  readonly droppedFrames: number;
  readonly latencyMs: number | null;
  /** Where the picture is on the page, CSS pixels. */
  readonly box: { x: number; y: number; width: number; height: number };
};

/** Chat lines kept: as many as could be on screen. */
const MAX_CHAT = 60;
const MAX_HIGHLIGHTS = 20;

/** The class as signalling tells it. */
export type ClassModel = {
  title: string;
  /** By participant, in the order in which they came. */
  roster: Map<string, Participant>;
  chat: ChatLine[];
  hands: Set<string>;
  layout: ClassLayout;
  spotlight: string | null;
  highlights: SavedMoment[];
  /** Server time the class began, and what to add to our clock to get the server's. */
  startedAtMs: number | null;
  endedAtMs: number | null;
  clockOffsetMs: number;
  /** Whether the class was told that it is being recorded. */
  recording: ClassRecordingState;
};

export function emptyClass(title: string): ClassModel {
  return {
    title,
    roster: new Map(),
    chat: [],
    hands: new Set(),
    layout: DEFAULT_LAYOUT,
    spotlight: null,
    highlights: [],
    startedAtMs: null,
    endedAtMs: null,
    clockOffsetMs: 0,
    recording: 'stopped',
  };
}

/** The class as a snapshot tells it, whatever was known before. */
export function applySnapshot(model: ClassModel, snapshot: WholeSnapshot, nowMs: number): void {
  const { roster, chat, hands, layout, spotlight, highlights, startedAtMs, endedAtMs } = snapshot;
  model.title = snapshot.title || model.title;
  model.roster = new Map(roster.map((one) => [one.participantId, one]));
  model.chat = chat.slice(-MAX_CHAT);
  model.hands = new Set(hands);
  model.highlights = highlights.slice(-MAX_HIGHLIGHTS);
  Object.assign(model, { layout, spotlight, startedAtMs, endedAtMs });
  model.recording = snapshot.recording?.state ?? 'stopped';
  model.clockOffsetMs = snapshot.nowMs - nowMs;
}

/** Changes the class as a message says. */
export function applyMessage(model: ClassModel, message: ClassMessage): void {
  switch (message.type) {
    case 'join':
      admit(model, message.participant);
      return;
    case 'leave':
      model.roster.delete(message.participantId);
      model.hands.delete(message.participantId);
      if (model.spotlight === message.participantId) model.spotlight = null;
      return;
    case 'mute': {
      const one = model.roster.get(message.participantId);
      if (one !== undefined) admit(model, { ...one, muted: message.muted });
      return;
    }
    case 'chat':
      keepLast(model.chat, message.line, MAX_CHAT);
      return;
    case 'raise-hand':
      if (!message.raised) model.hands.delete(message.participantId);
      else if (model.hands.size < MAX_ROSTER) model.hands.add(message.participantId);
      return;
    case 'layout':
      model.layout = message.layout;
      return;
    case 'spotlight':
      model.spotlight = message.participantId;
      return;
    case 'highlight':
      keepLast(model.highlights, message.moment, MAX_HIGHLIGHTS);
      return;
    case 'class-start':
      model.startedAtMs = message.atMs;
      return;
    case 'class-end':
      model.endedAtMs = message.atMs;
      return;
    case 'recording':
      model.recording = message.state;
      return;
    case 'heartbeat':
      // what was longest on its way says least of the clock
      model.clockOffsetMs = Math.max(model.clockOffsetMs, message.nowMs - Date.now());
      return;
    case 'reward':
    case 'sources':
    case 'error':
      return;
  }
}

/** A server may say what it likes: no more than a class may have is kept. */
function admit({ roster }: ClassModel, participant: Participant): void {
  const { participantId } = participant;
  if (roster.size < MAX_ROSTER || roster.has(participantId)) roster.set(participantId, participant);
}

function keepLast<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.splice(0, list.length - most);
}
