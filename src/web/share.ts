import './base.css';
import './share.css';
import { createClipPlayer } from './common/clip-player.ts';
import { element, make, setText } from './common/dom.ts';
import { icon } from './common/icons.ts';
import { openPageApi, type HighlightView, type PageApi } from './common/page-api.ts';
import { readPageData } from './common/page-data.ts';
import { startPolling } from './common/poll.ts';
import { refuse } from './common/refuse.ts';
import { shareHighlight } from './common/share-link.ts';
import { bytesText, dateText, durationText, UNTITLED } from './common/text.ts';
import { createFavouriteButton } from './share/favourite-button.ts';

/** A clip becomes a file within seconds; after that only a link that is taken back matters. */
const POLL_MS = 2000;
const POLL_DONE_MS = 15_000;

const { refusal, recordingTitle } = readPageData();
if (refusal !== null) refuse(refusal);
else openShare(openPageApi(window.location));

/** One clip, for those it was shared with: plays at once, becomes a file to keep. */
function openShare(api: PageApi): void {
  const video = element('video', HTMLVideoElement);
  const favourite = createFavouriteButton(api);
  const player = createClipPlayer(video, {
    autoplay: false,
    onNotice: (text) => setText(element('notice'), text),
  });
  offerPlay(video);
  let shown: HighlightView | undefined;
  element('pass-on').replaceChildren(icon('share'), 'Share');
  element('pass-on').addEventListener('click', () => {
    if (shown !== undefined) void shareHighlight(shown);
  });
  startPolling({
    everyMs: () => (shown?.clip ? POLL_DONE_MS : POLL_MS),
    async step() {
      shown = await api.getHighlight();
      renderAbout(shown);
      renderDownload(shown);
      favourite.update(shown);
      element('pass-on').hidden = false;
      player.show(shown.links);
    },
    onFailed() {
      if (shown === undefined) setText(element('notice'), 'No connection. Trying again…');
    },
    onRefused: refuse,
  });
}

/** A button as large as a thumb, until the clip was begun. */
function offerPlay(video: HTMLVideoElement): void {
  const button = element('play', HTMLButtonElement);
  button.append(icon('play'));
  button.addEventListener('click', () => {
    video.play().catch(() => undefined);
    video.focus();
  });
  video.addEventListener('loadedmetadata', () => {
    button.hidden = !video.paused;
  });
  video.addEventListener('play', () => {
    button.hidden = true;
  });
}

function renderAbout({ title, window: span, triggeredAtMs, state, warnings }: HighlightView): void {
  const name = title ?? UNTITLED;
  setText(element('title'), name);
  document.title = recordingTitle === null ? name : `${name} · ${recordingTitle}`;
  setText(element('class-title'), recordingTitle ?? '');
  const facts = [dateText(triggeredAtMs), durationText(span.endMs - span.startMs)];
  setText(element('facts'), facts.join(' · '));
  setText(element('state'), state === 'failed' ? FAILED : '');
  // What is known of a clip does not change once it is said.
  if (element('warnings').children.length === warnings.length) return;
  element('warnings').replaceChildren(...warnings.map((text) => make('li', { textContent: text })));
}

const FAILED =
  'The file of this clip could not be made. It can be watched here as long as the class’s recording is kept.';

/** There for those whose link allows it; until the file is made it says so. */
function renderDownload({ rights, links, clip, state }: HighlightView): void {
  const button = element('download', HTMLAnchorElement);
  button.hidden = !rights.includes('download') || (state === 'failed' && clip === null);
  const isReady = links.download !== null && clip !== null;
  const wanted = isReady ? 'ready' : 'waiting';
  if (button.dataset.state === wanted) return;
  button.dataset.state = wanted;
  if (isReady) {
    button.href = links.download;
    button.replaceChildren(icon('download'), `Download (${bytesText(clip.bytes)})`);
  } else {
    button.removeAttribute('href');
    button.replaceChildren(make('span', { className: 'spinner' }), 'Making the file…');
  }
}
