import type { Recording } from '../../src/model/recording.ts';
import { isFinal } from '../../src/model/recording.ts';
import { delay, type Closable } from '../../src/lifecycle.ts';
import { waitUntil } from '../support/wait-until.ts';
import { CLASS_SETTINGS } from './class-page.ts';
import type { Fleet } from './fleet.ts';
import { isGrown, readPlaylist, type Entry } from './served-playlist.ts';

/** A start of Chrome on a busy machine. */
const START_TIMEOUT_MS = 40_000;
/** To the next boundary, a backlog of a minute, the last files. */
const END_TIMEOUT_MS = 60_000;
/** A player asks about as often. */
const POLL_MS = 300;
/** An answer that takes longer counts as none: longer than the api waits for Redis. */
const ANSWER_TIMEOUT_MS = 15_000;

/** What the api said to who watches: time by this process's clock (Unix ms), status (0: no answer), how long it took. */
export type Answer = {
  readonly atMs: number;
  readonly status: number;
  readonly tookMs: number;
};

/** A recording of the class, followed over HTTP as a player does it. Closing ends the following. */
export type Lesson = Closable & {
  readonly id: string;
  /** Every answer to the follower's requests for the growing playlist. */
  readonly answers: readonly Answer[];
  /** Times a playlist did anything but grow. */
  readonly changes: () => number;
  /** Entries with media that were ever served. */
  readonly seen: ReadonlyMap<string, Entry>;
  /** The last text served. */
  readonly playlist: () => string;
  readonly find: () => Promise<Recording | undefined>;
  /** Waits for so many more entries with media than there are now. */
  readonly untilMore: (segments: number, timeoutMs: number) => Promise<void>;
  /** Asks for the end, again when the api is away, and waits until the recording is over. Resolves with when it was asked, Unix ms. */
  readonly stop: () => Promise<number>;
};

/** Starts a recording of the class and resolves once its first segments are served. */
export async function startLesson(
  fleet: Fleet,
  options: { readonly steadySegments?: number; readonly settings?: object } = {},
): Promise<Lesson> {
  const { steadySegments = 3, settings = {} } = options;
  const body = JSON.stringify({
    url: fleet.classUrl,
    settings: { ...CLASS_SETTINGS, ...settings },
  });
  const answer = await fleet.request('/v1/recordings', { method: 'POST', body });
  if (answer.status !== 201)
    throw new Error(`POST answered ${answer.status}: ${await answer.text()}`);
  const { id } = (await answer.json()) as Recording;
  const lesson = follow(fleet, id);
  try {
    await lesson.untilMore(steadySegments, START_TIMEOUT_MS);
    return lesson;
  } catch (error) {
    await lesson.close();
    throw error;
  }
}

function follow(fleet: Fleet, id: string): Lesson {
  const answers: Answer[] = [];
  const seen = new Map<string, Entry>();
  let text = '';
  let changes = 0;
  const end = new AbortController();
  const look = async (): Promise<void> => {
    const atMs = Date.now();
    const served = await getText(fleet, `/v1/recordings/${id}/index.m3u8`);
    answers.push({ atMs, status: served.status, tookMs: Date.now() - atMs });
    if (served.status !== 200) return;
    if (!isGrown(text, served.text)) changes += 1;
    text = served.text;
    for (const entry of readPlaylist(text).entries) if (!entry.isGap) seen.set(entry.uri, entry);
  };
  const following = (async () => {
    while (!end.signal.aborted) {
      await look();
      await delay(POLL_MS, end.signal).catch(() => undefined);
    }
  })();
  const find = async (): Promise<Recording | undefined> => {
    const { status, text: json } = await getText(fleet, `/v1/recordings/${id}`);
    return status === 200 ? (JSON.parse(json) as Recording) : undefined;
  };
  return {
    id,
    answers,
    seen,
    changes: () => changes,
    playlist: () => text,
    find,
    untilMore: async (segments, timeoutMs) => {
      const wanted = seen.size + segments;
      await waitUntil(`${segments} more segments`, () => seen.size >= wanted, timeoutMs);
    },
    stop: async () => {
      const askedAtMs = await waitUntil('the api to take the stop', () => askForEnd(fleet, id));
      await waitUntil(
        'the recording to be over',
        async () => {
          const recording = await find();
          return recording !== undefined && isFinal(recording.state);
        },
        END_TIMEOUT_MS,
      );
      // The last text, as a player would still ask for it.
      await look();
      return askedAtMs;
    },
    close: async () => {
      end.abort();
      await following;
    },
  };
}

async function askForEnd(fleet: Fleet, id: string): Promise<number | undefined> {
  const atMs = Date.now();
  const answer = await fleet
    .request(`/v1/recordings/${id}/stop`, { method: 'POST' })
    .catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.ok === true ? atMs : undefined;
}

/** Status 0 when there was no answer. */
async function getText(
  fleet: Fleet,
  link: string,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const answer = await fleet.request(link, { signal });
    return { status: answer.status, text: await answer.text() };
  } catch {
    return { status: 0, text: '' };
  }
}
