import { delay, type Resources } from '../../src/lifecycle.ts';
import { SEGMENT_MS } from '../../src/model/grid.ts';
import { enterState } from '../../src/model/recording.ts';
import { recordingSettingsSchema } from '../../src/protocol/recording-request.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import type { ApiServer } from './api-server.ts';
import { sampleEntry, sampleRecording } from './sample-records.ts';
import { waitUntil } from './wait-until.ts';

/** A clip is made within a second; on a machine busy with other tests it may take much longer. */
const CLIP_MS = 30_000;

/** As the test pattern is made: small, and 10 pictures a second, which costs little to draw. */
export const LESSON_SETTINGS = recordingSettingsSchema.parse({ width: 640, height: 360, fps: 10 });

export type LessonOptions = {
  readonly id: string;
  readonly title?: string;
  /** The lesson began this long ago; what there is of it is published already. */
  readonly ageMs: number;
};

/** A running lesson. */
export type Lesson = {
  readonly id: string;
  readonly originMs: number;
  /** Goes on publishing each segment when its time has come, until the lesson is ended. */
  run(): void;
  /** No more segments; the recording is over. Its length, ms. */
  end(): Promise<number>;
  /** Saves a moment by key; its id. */
  trigger(wish: object): Promise<string>;
  /** Until the clip's file is there. */
  untilClip(highlightId: string): Promise<void>;
};

type Stage = {
  readonly api: ApiServer;
  /** Segments, by number. */
  readonly media: readonly Buffer[];
  readonly resources: Resources;
};

/** Begins a lesson as a recorder would, and publishes what there is of it. */
export async function beginLesson(stage: Stage, options: LessonOptions): Promise<Lesson> {
  const { api, resources } = stage;
  const { id, ageMs } = options;
  const { recordings, highlights } = api.services;
  const originMs = Math.floor((Date.now() - ageMs) / SEGMENT_MS) * SEGMENT_MS;
  await enterLesson(api, { ...options, originMs });
  const stopping = new AbortController();
  const publisher = createPublisher(stage, { id, originMs });
  let running: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  resources.defer(stop);
  await publisher.publish();
  return {
    id,
    originMs,
    run: () => void (running ??= publisher.follow(stopping.signal)),
    async end() {
      await stop();
      const change = { state: 'completed', atMs: Date.now() } as const;
      await recordings.update(id, (recording) => enterState(recording, change));
      return publisher.count() * SEGMENT_MS;
    },
    async trigger(wish) {
      const { status, body } = await api.json('POST', `/v1/recordings/${id}/highlights`, wish);
      if (status !== 201) throw new Error(`Expected a highlight, got ${JSON.stringify(body)}`);
      return String(body.id);
    },
    async untilClip(highlightId) {
      const isMade = async (): Promise<boolean> =>
        (await highlights.get(highlightId)).clip !== null;
      await waitUntil(`the clip of ${highlightId}`, isMade, CLIP_MS);
    },
  };
}

async function enterLesson(
  { services: { recordings } }: ApiServer,
  { id, title, originMs }: LessonOptions & { readonly originMs: number },
): Promise<void> {
  if ((await recordings.find(id)) === undefined) {
    const metadata = title === undefined ? {} : { title };
    const settings = LESSON_SETTINGS;
    await recordings.create(sampleRecording({ id, createdAtMs: originMs, metadata, settings }));
  }
  const change = { state: 'recording', atMs: originMs } as const;
  await recordings.update(id, (recording) => ({ ...enterState(recording, change), originMs }));
}

type Publisher = {
  /** Segments published. */
  count(): number;
  publish(): Promise<void>;
  follow(signal: AbortSignal): Promise<void>;
};

/** Where there is no more media the lesson stands still, as one whose recorder is gone. */
function createPublisher(
  { api, media }: Stage,
  { id, originMs }: Pick<Lesson, 'id' | 'originMs'>,
): Publisher {
  const { store, segments } = api.services;
  let count = 0;
  const dueMs = (): number => originMs + (count + 1) * SEGMENT_MS - Date.now();
  const publish = async (): Promise<void> => {
    while (dueMs() <= 0) {
      const bytes = media[count];
      if (bytes === undefined) return;
      const object = objectKeys.segment(id, { n: count, lane: 0, epoch: 1 });
      await store.putOnce(object, bytes);
      const place = { object, offset: 0, length: bytes.length };
      await segments.append(id, sampleEntry(count, { place, publishedAtMs: Date.now() }));
      count++;
    }
  };
  return {
    count: () => count,
    publish,
    async follow(signal) {
      while (!signal.aborted && count < media.length) {
        await publish();
        await delay(Math.max(0, dueMs()), signal).catch(() => undefined);
      }
    },
  };
}
