import './base.css';
import './watch.css';
import { isFinal } from '../model/recording.ts';
import { element, setText } from './common/dom.ts';
import { openPageApi, type PageApi, type RecordingView } from './common/page-api.ts';
import { readPageData } from './common/page-data.ts';
import { createPlayer, type Player } from './common/player.ts';
import { startPolling } from './common/poll.ts';
import { refuse } from './common/refuse.ts';
import { createTimeline } from './watch/timeline.ts';
import { createHighlightList, renderFacts, renderLessonDownload } from './watch/view.ts';

/** A class changes state seldom; a highlight should show up soon after someone saved it. */
const POLL_MS = 2000;
/** From a recording's origin to its first segment, and as much again. */
const FIRST_PROGRESS_MS = 6000;

const video = element('video', HTMLVideoElement);
const { refusal } = readPageData();
if (refusal !== null) refuse(refusal);
else watch(openPageApi(window.location));

/** Follows the recording, live and afterwards; a lost connection is only a pause. */
function watch(api: PageApi): void {
  const player = createPlayer(video, {
    onNotice: showNotice,
    onBlocked: () => showNotice('Press play to start.'),
  });
  const goLive = element('go-live');
  goLive.addEventListener('click', () => player.goLive());
  offerSound();
  let originMs = 0;
  const timeline = createTimeline(video, seek);
  const list = createHighlightList(({ window: { startMs } }) => {
    seek((startMs - originMs) / 1000);
    element('title').scrollIntoView({ behavior: 'smooth', block: 'center' });
  });
  let isLoaded = false;
  startPolling({
    everyMs: () => POLL_MS,
    async step() {
      const recording = await api.getRecording();
      originMs = recording.originMs ?? recording.createdAtMs;
      renderFacts(recording);
      renderLessonDownload(recording);
      isLoaded ||= loadWhenThere(player, recording);
      goLive.hidden = !isLoaded || isFinal(recording.state) || !player.isBehindLive();
      const highlights = await api.listHighlights();
      list.update(highlights, recording);
      timeline.update(highlights, originMs);
    },
    onFailed() {
      if (!isLoaded) showNotice('The service cannot be reached. Trying again…');
    },
    onRefused: refuse,
  });
}

function seek(seconds: number): void {
  video.currentTime = Math.max(0, seconds);
}

/** Browsers let pages begin by themselves without sound only: one press brings it. */
function offerSound(): void {
  const button = element('sound');
  const update = (): void => {
    button.hidden = video.hidden || !video.muted;
  };
  button.addEventListener('click', () => {
    video.muted = false;
  });
  video.addEventListener('volumechange', update);
  video.addEventListener('playing', update);
}

/** Loads the player once there is something to play; says what is being waited for until then. */
function loadWhenThere(player: Player, recording: RecordingView): boolean {
  const isOver = isFinal(recording.state);
  if (recording.originMs === null || (!isOver && !hasSegments(recording))) {
    showNotice(isOver ? 'Nothing was recorded.' : 'The class is about to begin…');
    return false;
  }
  showNotice('Loading…');
  video.hidden = false;
  player.load(recording.links.playlist, { from: isOver ? 'start' : 'live', autoplay: true });
  return true;
}

/** A recorder tells its numbers each second; one that has told none for long may still have made segments. */
function hasSegments({ progress, originMs, nowMs }: RecordingView): boolean {
  if (progress !== null) return progress.segments > 0;
  return nowMs - (originMs ?? 0) > FIRST_PROGRESS_MS;
}

function showNotice(text: string): void {
  setText(element('notice'), text);
}
