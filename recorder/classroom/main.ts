import './globals.ts';
import type { ClassroomSource } from '../../src/model/recording.ts';
import type { SourceReport, SourceState } from '../../src/model/source-report.ts';
import type {
  Reward,
  SavedMoment,
  ServerMessage,
  SpotlightChange,
} from '../../src/protocol/signalling.ts';
import { openBoard, type Board } from './board.ts';
import { listenToSignalling, type SignallingClient } from './signalling-client.ts';
import { loadClassroomSource, parseSources } from './source.ts';
import { applyMessage, emptyClass, type ClassModel } from './state.ts';
import type { Tile } from './tile.ts';
import { ClassroomView, showFailure } from './view.ts';

/** The recorder waits for the board this long, and for pictures this long; then what is there is recorded. */
const BOARD_TIMEOUT_MS = 3000;
const PICTURES_TIMEOUT_MS = 5000;
const BEACON_MS = 1000;
/** A source's report is up to 800 characters, and a message is refused from 16 384. */
const SOURCES_PER_BEACON = 15;

try {
  openClassroom(loadClassroomSource());
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  showFailure(message);
  report('classroom-failed', { message });
  console.error(message);
}

function openClassroom(source: ClassroomSource): void {
  const model = emptyClass(source.title);
  let onPicture = (): void => undefined;
  const view = new ClassroomView(source, ({ player }) => {
    const { participantId, role } = player.source;
    const { state, error } = player;
    report('source-state', { participantId, role, state, ...error });
    onPicture();
  });
  const { stage } = view;
  view.update(model);
  const board = source.whiteboardUrl ? openBoard(source.whiteboardUrl, view.canvas) : undefined;
  const { signalling, joined } = joinSignalling(source.signallingUrl, model, view);
  const pictures = new Promise<void>((resolve) => {
    onPicture = () => {
      if (stage.tiles.every(({ player }) => isSettled(player.state))) resolve();
    };
    onPicture();
  });
  let isReady = false;
  void Promise.all([
    Promise.race([joined, after(PICTURES_TIMEOUT_MS)]),
    Promise.race([board?.synced, after(BOARD_TIMEOUT_MS)]),
    Promise.race([pictures, after(PICTURES_TIMEOUT_MS)]),
  ]).then(() => {
    isReady = true;
    window.chalkreel?.ready();
  });
  setInterval(() => {
    view.tick(model);
    sendBeacon(signalling, stage.reports());
  }, BEACON_MS);
  window.classroomState = () => ({ ...describe(model, signalling, board, stage.tiles), isReady });
  window.chalkreelSources = (sources) => {
    stage.setSources(parseSources(sources));
    view.update(model);
  };
}

/** There, or known not to come soon. */
function isSettled(state: SourceState): boolean {
  return state === 'playing' || state === 'muted' || state === 'failed';
}

function joinSignalling(
  url: string,
  model: ClassModel,
  view: ClassroomView,
): { signalling: SignallingClient; joined: Promise<void> } {
  let onJoined = (): void => undefined;
  const joined = new Promise<void>((resolve) => (onJoined = resolve));
  const onMessage = (message: ServerMessage): void => {
    applyMessage(model, message);
    view.update(model);
    tellRecorder(message);
    if (message.type === 'snapshot') onJoined();
  };
  const signalling = listenToSignalling(url, onMessage, (state) => {
    view.showSignalling(state);
    report('signalling', { state });
  });
  return { signalling, joined };
}

/** Passes on what concerns the recording; the recorder drops what it has heard before. */
function tellRecorder(message: ServerMessage): void {
  switch (message.type) {
    case 'snapshot':
      // by age, so that the server's clock need not be ours
      for (const moment of message.highlights) {
        passOn(moment, Date.now() - (message.nowMs - moment.atMs));
      }
      for (const reward of message.rewards ?? []) {
        reportReward(reward, Date.now() - (message.nowMs - reward.atMs));
      }
      if (message.spotlightChange) {
        reportSpotlight(
          message.spotlightChange,
          Date.now() - (message.nowMs - message.spotlightChange.atMs),
        );
      }
      if (message.endedAtMs !== null) window.chalkreel?.end('class-end');
      return;
    case 'highlight':
      passOn(message.moment, Date.now());
      return;
    case 'reward':
      reportReward(message.reward, Date.now());
      return;
    case 'spotlight':
      if (message.participantId === null) return;
      reportSpotlight(message.change ?? { participantId: message.participantId }, Date.now());
      return;
    case 'class-end':
      window.chalkreel?.end('class-end');
      return;
    default:
      return;
  }
}

function passOn(moment: SavedMoment, atMs: number): void {
  window.chalkreel?.highlight({ ...moment, atMs: Math.round(atMs) });
}

/** Events that the recording's rules may act on, each with the id it has for everybody who hears it, if it has one. */
function reportReward({ rewardId, participantId, title }: Reward, atMs: number): void {
  const event = { type: 'reward', eventId: rewardId, participantId, title };
  window.chalkreel?.event({ ...event, atMs: Math.round(atMs) });
}

function reportSpotlight(
  change: Pick<SpotlightChange, 'participantId'> & Partial<SpotlightChange>,
  atMs: number,
): void {
  window.chalkreel?.event({ type: 'spotlight', ...change, atMs: Math.round(atMs) });
}

function report(type: string, fields: Record<string, unknown>): void {
  window.chalkreel?.event({ ...fields, type, atMs: Date.now() });
}

/** In pieces, since a page may not send messages of any length. */
function sendBeacon(signalling: SignallingClient, reports: readonly SourceReport[]): void {
  for (let from = 0; from === 0 || from < reports.length; from += SOURCES_PER_BEACON) {
    window.chalkreel?.beacon({
      atMs: Date.now(),
      signalling: signalling.state(),
      sources: reports.slice(from, from + SOURCES_PER_BEACON),
    });
  }
}

function describe(
  model: ClassModel,
  signalling: SignallingClient,
  board: Board | undefined,
  tiles: readonly Tile[],
): Omit<ReturnType<NonNullable<Window['classroomState']>>, 'isReady'> {
  const { title, roster, chat, hands, layout, spotlight, highlights } = model;
  return {
    title,
    signalling: signalling.state(),
    roster,
    chat,
    hands: [...hands],
    layout,
    spotlight,
    highlights,
    board: board?.state() ?? { synced: false, strokes: 0, texts: [] },
    tiles: tiles.map((tile) => tile.state()),
    isOver: model.endedAtMs !== null,
    unknownMessages: signalling.ignored(),
  };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
