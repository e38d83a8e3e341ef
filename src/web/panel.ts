import './base.css';
import './panel.css';
import { announce, element, setChildren, setText } from './common/dom.ts';
import { openPageApi, type PageApi, type RecordingView } from './common/page-api.ts';
import { readPageData, refusalText } from './common/page-data.ts';
import { startPolling } from './common/poll.ts';
import { refuse } from './common/refuse.ts';
import { toast } from './common/toast.ts';
import { keptText, newTriggerId } from './panel/browser-kept.ts';
import { canSave, describeClass, type ClassState } from './panel/class-state.ts';
import { createMomentCard, type CardActions, type MomentCard } from './panel/moment-card.ts';
import { Moments, type Moment } from './panel/moments.ts';
import { createOutbox } from './panel/outbox.ts';
import { createPlayableWatch } from './panel/playable.ts';
import { createProgressWatch } from './panel/progress-watch.ts';
import { AFTER_MS, createSaveForm } from './panel/save-form.ts';
import { sendWish } from './panel/send-wish.ts';
import { createServerClock } from './panel/server-clock.ts';

/** A clip shows up soon after it can be played. */
const POLL_MS = 2000;

const { refusal } = readPageData();
if (refusal !== null) refuse(refusal);
else openPanel(openPageApi(window.location));

/** The teacher's panel: a press is kept at once and sent until it has arrived; everything else follows by polling. */
function openPanel(api: PageApi): void {
  const clock = createServerClock();
  const moments = new Moments();
  const progress = createProgressWatch();
  let recording: RecordingView | undefined;
  let isConnected = true;

  const outbox = createOutbox({
    storage: keptText(`chalkreel-outbox-${api.id}`),
    async send(wish) {
      const sent = await sendWish(api, wish);
      if (sent.state === 'refused') {
        toast(`Could not be saved: ${sent.reason}`);
        return { refused: sent.reason };
      }
      moments.confirm(sent.highlightId, wish);
      announce('Moment saved');
      polling.wake();
      return 'saved';
    },
    onChanged: () => renderMoments(),
  });
  const list = createMomentList({
    originMs: () => recording?.originMs ?? null,
    async rename({ id }, title) {
      await api.send('PATCH', `highlights/${id}`, { title });
      polling.wake();
    },
    retry: (triggerId) => outbox.retry(triggerId),
    discard: (triggerId) => outbox.discard(triggerId),
  });
  const renderMoments = (): void => list.render(moments.lines(outbox.pending));
  const playable = createPlayableWatch((highlightId) => {
    moments.setPlayable(highlightId);
    renderMoments();
  });

  const renderClass = (): void => {
    if (recording === undefined) {
      if (!isConnected) setText(element('note'), 'The service cannot be reached. Trying again…');
      return;
    }
    const stalledMs = progress.stalledMs(recording);
    showClass(recording, describeClass(recording, { isConnected, stalledMs }));
    form.setEnabled(canSave(recording, { beforeMs: form.beforeMs, nowMs: clock.nowMs() }));
  };
  const form = createSaveForm({
    onChanged: renderClass,
    onSave({ beforeMs, title }) {
      const wish = { triggerId: newTriggerId(), atMs: clock.nowMs(), beforeMs, afterMs: AFTER_MS };
      outbox.add(title === '' ? wish : { ...wish, title });
    },
  });

  const polling = startPolling({
    everyMs: () => POLL_MS,
    async step() {
      const sentAtMs = Date.now();
      recording = await api.getRecording();
      clock.note({ sentAtMs, receivedAtMs: Date.now(), serverMs: recording.nowMs });
      if (!isConnected) outbox.retryAll();
      isConnected = true;
      renderClass();
      moments.list(await api.listHighlights());
      renderMoments();
      playable.check(moments.unproven);
    },
    onFailed() {
      isConnected = false;
      renderClass();
    },
    onRefused(reason) {
      if (outbox.pending.length === 0) {
        refuse(reason);
        return;
      }
      // What could not be sent stays on the page, and in this browser for the next link.
      form.setEnabled(false);
      const kept = 'What is not saved is kept here: open the panel by a new link, and it is sent.';
      setText(element('note'), `${refusalText(reason)} ${kept}`);
      element('badge').hidden = true;
    },
  });
}

function showClass({ title }: RecordingView, { badge, kind, note }: ClassState): void {
  setText(element('title'), title);
  document.title = `${title} · Save moments`;
  const shown = element('badge');
  shown.hidden = false;
  shown.dataset.kind = kind;
  setText(shown, badge);
  setText(element('note'), note);
}

function createMomentList(actions: CardActions): { render(lines: readonly Moment[]): void } {
  const cards = new Map<string, MomentCard>();
  return {
    render(lines) {
      element('no-moments').hidden = lines.length > 0;
      const shown = lines.map((line) => {
        const card = cards.get(line.key) ?? createMomentCard(actions);
        cards.set(line.key, card);
        card.update(line);
        return card.element;
      });
      setChildren(element('moments'), shown);
    },
  };
}
