import './globals.ts';
import type { ClassroomSource } from '../../src/model/recording.ts';
import type { SourceReport, SourceState } from '../../src/model/source-report.ts';
import type { SourceChanges } from '../../src/protocol/classroom.ts';
import { recordingStateSchema } from '../../src/protocol/signalling.ts';
import { layoutChoiceSchema } from '../../src/protocol/layout.ts';
import { NO_BOARD, openBoard, type Board } from './board/open-board.ts';
import { GeometryLog } from './layout/geometry-log.ts';
import { listenToSignalling, type SignallingClient } from './signalling-client.ts';
import { loadClassroomSource, parseSources } from './source.ts';
import { SourceList } from './sources/source-list.ts';
import { applyMessage, applySnapshot, emptyClass, type ClassModel } from './state.ts';
import { RecorderReports } from './tell-recorder.ts';
import { ClassroomView, showFailure } from './view.ts';

/** The recorder waits for the board this long, and for pictures this long; then what is there is recorded. */
const BOARD_TIMEOUT_MS = 3000;
const PICTURES_TIMEOUT_MS = 5000;
const BEACON_MS = 1000;
/** A source's report is up to 800 characters, and a message is refused from 16 384. */
const SOURCES_PER_BEACON = 15;
/** A class in which much is said is drawn this often: each drawing takes some of the recording's time. */
const MIN_DRAW_MS = 100;
/** Signalling that changes streams more often is followed this often: each change may open connections. */
const MIN_CHANGE_MS = 200;

const reports = new RecorderReports();
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
  const geometries = new GeometryLog((event) => window.chalkreel?.event(event));
  const view = new ClassroomView(source, model, {
    onState: ({ player }) => {
      const { participantId, role } = player.source;
      const { state, error } = player;
      report('source-state', { participantId, role, state, ...error });
      onPicture();
    },
    onGeometry: (geometry) => geometries.take(geometry),
  });
  const { stage } = view;
  const board = source.whiteboardUrl
    ? openBoard(source.whiteboardUrl, view.boardHost, (message) => {
        report('board-failed', { message });
      })
    : undefined;
  const list = new SourceList(source.sources);
  const showSources = (): void => {
    stage.setSources(list.sources);
    view.update(model);
  };
  const { signalling, joined } = joinSignalling(source, model, {
    view,
    onSources: followChanges(list, showSources),
  });
  const pictures = new Promise<void>((resolve) => {
    onPicture = () => {
      if (stage.tiles.every(({ player }) => isSettled(player.state))) resolve();
    };
    onPicture();
  });
  let isReady = false;
  void Promise.all([
    Promise.race([joined, after(PICTURES_TIMEOUT_MS)]),
    Promise.race([board?.drawn, after(BOARD_TIMEOUT_MS)]),
    Promise.race([pictures, after(PICTURES_TIMEOUT_MS)]),
  ]).then(() => {
    isReady = true;
    window.chalkreel?.ready();
  });
  setInterval(() => {
    view.tick(model);
    sendBeacon(signalling, stage.reports());
  }, BEACON_MS);
  window.classroomState = () => ({ ...describe(model, signalling, board, view), isReady });
  window.chalkreelLayout = (choice) => {
    view.choose(layoutChoiceSchema.parse(choice));
  };
  window.chalkreelSources = (sources) => {
    list.setRecorded(parseSources(sources));
    showSources();
  };
  window.chalkreelRecording = (state) => signalling.announce(recordingStateSchema.parse(state));
}

/** Takes what signalling says of streams, and shows it at once, or a little later where it says so all the time. */
function followChanges(
  list: SourceList,
  show: () => void,
): (changes: SourceChanges, isWhole: boolean) => void {
  const showSoon = paced(MIN_CHANGE_MS, show);
  return (changes, isWhole) => {
    const before = list.refused;
    if (isWhole) list.replace(changes);
    else list.change(changes);
    if (list.refused > before) report('sources-refused', { count: list.refused });
    showSoon();
  };
}

/** There, or known not to come soon. */
function isSettled(state: SourceState): boolean {
  return state === 'playing' || state === 'muted' || state === 'failed';
}

function joinSignalling(
  { signallingUrl, recorderName }: ClassroomSource,
  model: ClassModel,
  {
    view,
    onSources,
  }: {
    readonly view: ClassroomView;
    readonly onSources: (changes: SourceChanges, isWhole: boolean) => void;
  },
): { signalling: SignallingClient; joined: Promise<void> } {
  let onJoined = (): void => undefined;
  const joined = new Promise<void>((resolve) => (onJoined = resolve));
  const show = paced(MIN_DRAW_MS, () => requestAnimationFrame(() => view.update(model)));
  const signalling = listenToSignalling(
    signallingUrl,
    {
      onSnapshot: (snapshot) => {
        reports.tellSnapshot(model, snapshot);
        applySnapshot(model, snapshot, Date.now());
        show();
        if (snapshot.sources !== undefined) onSources(snapshot.sources, true);
        onJoined();
      },
      onMessages: (messages) => {
        for (const message of messages) {
          applyMessage(model, message);
          reports.tellMessage(model, message);
          if (message.type === 'sources') onSources(message, false);
        }
        show();
      },
      onState: (state) => {
        view.showSignalling(state);
        report('signalling', { state });
      },
    },
    { visibleName: recorderName },
  );
  return { signalling, joined };
}

/** However often it is asked for: at once, and then not again for so long. */
function paced(minMs: number, act: () => void): () => void {
  let timer: number | undefined;
  let actedMs = Number.NEGATIVE_INFINITY;
  return () => {
    const waitMs = Math.max(0, actedMs + minMs - performance.now());
    timer ??= setTimeout(() => {
      timer = undefined;
      actedMs = performance.now();
      act();
    }, waitMs);
  };
}

function report(type: string, fields: Record<string, unknown>): void {
  reports.report(type, fields);
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
  { stage, geometry }: ClassroomView,
): Omit<ReturnType<NonNullable<Window['classroomState']>>, 'isReady'> {
  const { title, roster, chat, hands, spotlight, highlights } = model;
  const { layout, view, page } = geometry;
  const ignored = signalling.ignored();
  return {
    title,
    signalling: signalling.state(),
    roster: [...roster.values()],
    chat,
    hands: [...hands],
    layout,
    view,
    page,
    spotlight,
    highlights,
    board: board?.state() ?? NO_BOARD,
    tiles: stage.tiles.map((tile) => tile.state()),
    isOver: model.endedAtMs !== null,
    recording: model.recording,
    unknownMessages: ignored.unknown + ignored.malformed + ignored.oversized,
    ignored,
  };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
