import type { StreamSource } from '../../src/model/recording.ts';
import type { SourceErrorCode, SourceState } from '../../src/model/source-report.ts';
import type {
  ChatLine,
  ClassroomLayout,
  Participant,
  SavedMoment,
  ServerMessage,
} from '../../src/protocol/signalling.ts';

/** What `window.classroomState()` returns. */
export type ClassroomState = {
  readonly title: string;
  readonly signalling: SignallingState;
  readonly roster: readonly Participant[];
  readonly chat: readonly ChatLine[];
  readonly hands: readonly string[];
  readonly layout: ClassroomLayout;
  readonly spotlight: string | null;
  readonly highlights: readonly SavedMoment[];
  readonly board: { readonly synced: boolean; readonly strokes: number; readonly texts: string[] };
  readonly tiles: readonly TileState[];
  readonly isReady: boolean;
  readonly isOver: boolean;
  readonly unknownMessages: number;
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
  roster: Participant[];
  chat: ChatLine[];
  hands: Set<string>;
  layout: ClassroomLayout;
  spotlight: string | null;
  highlights: SavedMoment[];
  /** Server time the class began, and what to add to our clock to get the server's. */
  startedAtMs: number | null;
  endedAtMs: number | null;
  clockOffsetMs: number;
};

export function emptyClass(title: string): ClassModel {
  return {
    title,
    roster: [],
    chat: [],
    hands: new Set(),
    layout: 'board',
    spotlight: null,
    highlights: [],
    startedAtMs: null,
    endedAtMs: null,
    clockOffsetMs: 0,
  };
}

/** Changes the class as a message says. */
export function applyMessage(model: ClassModel, message: ServerMessage): void {
  switch (message.type) {
    case 'snapshot': {
      const { type: _, participantId: __, hands, title, nowMs, ...rest } = message;
      Object.assign(model, rest);
      model.title = title || model.title;
      model.hands = new Set(hands);
      model.clockOffsetMs = nowMs - Date.now();
      return;
    }
    case 'join': {
      const others = without(model.roster, message.participant.participantId);
      model.roster = [...others, message.participant];
      return;
    }
    case 'leave':
      model.roster = without(model.roster, message.participantId);
      model.hands.delete(message.participantId);
      if (model.spotlight === message.participantId) model.spotlight = null;
      return;
    case 'mute':
      model.roster = model.roster.map((one) =>
        one.participantId === message.participantId ? { ...one, muted: message.muted } : one,
      );
      return;
    case 'chat':
      model.chat = [...model.chat, message.line].slice(-MAX_CHAT);
      return;
    case 'raise-hand':
      if (message.raised) model.hands.add(message.participantId);
      else model.hands.delete(message.participantId);
      return;
    case 'layout':
      model.layout = message.layout;
      return;
    case 'spotlight':
      model.spotlight = message.participantId;
      return;
    case 'highlight':
      model.highlights = [...model.highlights, message.moment].slice(-MAX_HIGHLIGHTS);
      return;
    case 'reward':
      return;
    case 'class-start':
      model.startedAtMs = message.atMs;
      return;
    case 'class-end':
      model.endedAtMs = message.atMs;
      return;
    case 'error':
      return;
  }
}

const without = (roster: readonly Participant[], participantId: string): Participant[] =>
  roster.filter((one) => one.participantId !== participantId);
