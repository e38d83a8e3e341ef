import { isFinal } from '../model/recording.ts';
import './watch.css';
import { element, videoElement, renderFacts, renderHighlights } from './watch-view.ts';
import { LinkRefused, openWatchApi, type WatchApi, type WatchedRecording } from './watch-api.ts';
import { createPlayer, type Player } from './player.ts';

/** A class changes state seldom; a highlight should show up soon after someone saved it. */
const POLL_MS = 2000;
/** From a recording's origin to its first segment, and as much again. */
const FIRST_PROGRESS_MS = 6000;

const notice = element('notice');
const goLive = element('go-live');
const video = videoElement();

start();

function start(): void {
  try {
    const api = openWatchApi(window.location);
    void watch(api);
  } catch {
    refuse();
  }
}

/** Follows the recording until it is over; a lost connection is only a pause. */
async function watch(api: WatchApi): Promise<void> {
  const player = createPlayer(video, { onNotice: showNotice, onBlocked: showPlayHint });
  goLive.addEventListener('click', () => {
    player.goLive();
  });
  offerSound();
  let isLoaded = false;
  for (;;) {
    try {
      const recording = await api.getRecording();
      renderFacts(recording);
      renderHighlights(await api.listHighlights(), recording);
      isLoaded ||= loadWhenThere(player, api, recording);
      goLive.hidden = !isLoaded || isFinal(recording.state) || !player.isBehindLive();
    } catch (error) {
      if (error instanceof LinkRefused) {
        refuse();
        return;
      }
      if (!isLoaded) showNotice('The service cannot be reached. Trying again…');
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
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
function loadWhenThere(player: Player, api: WatchApi, recording: WatchedRecording): boolean {
  const isOver = isFinal(recording.state);
  if (recording.originMs === null || (!isOver && !hasSegments(recording))) {
    showNotice(isOver ? 'Nothing was recorded.' : 'The class is about to begin…');
    return false;
  }
  showNotice('Loading…');
  video.hidden = false;
  player.load(api.playlistUrl, { isLive: !isOver });
  return true;
}

/** A recorder tells its numbers each second; one that has told none for long may still have made segments. */
function hasSegments({ progress, originMs }: WatchedRecording): boolean {
  if (progress !== null) return progress.segments > 0;
  return Date.now() - (originMs ?? 0) > FIRST_PROGRESS_MS;
}

function refuse(): void {
  video.hidden = true;
  showNotice('This link is not valid, or it has expired. Ask for a new one.');
}

function showNotice(text: string): void {
  notice.textContent = text;
}

function showPlayHint(): void {
  showNotice('Press play to start.');
}
