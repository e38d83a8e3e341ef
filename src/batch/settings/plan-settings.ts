import type { Log } from '../../log.ts';
import { Resources } from '../../lifecycle.ts';
import type { Recording } from '../../model/recording.ts';
import type { Chunk, ChunkSettings, ReencodeProfile, ReencodeVideo } from '../../model/reencode.ts';
import type { ObjectStore } from '../../storage/objects/object-store.ts';
import { chooseCrf, type SampleProbe } from './choose-crf.ts';
import type { CrfChoice } from './crf-search.ts';
import { encodeSettings } from '../chunk/encode-chunk.ts';
import { chooseGopSegments } from './gop.ts';
import { SampleSource } from './probe-sample.ts';
import { pickSamples, type Sample } from './samples.ts';
import { readActivities, type SegmentActivity } from './segment-activity.ts';

export type PlanSettingsOptions = {
  readonly profile: ReencodeProfile;
  readonly store: ObjectStore;
  readonly recording: Pick<Recording, 'id' | 'originMs' | 'settings'>;
  /** The worker's own, for files that are gone when the promise settles. */
  readonly folder: string;
  /** Encoders that may run at once. */
  readonly concurrency: number;
  /** How often this has failed before: perhaps because the whole was worse than its samples, so they must be better now. Default 0. */
  readonly failures?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
};

export type PlannedSettings = {
  /** Of each chunk, in their order. */
  readonly chunks: readonly ChunkSettings[];
  /** How the CRF was found; null when the profile says it. */
  readonly choice: CrfChoice | null;
};

/**
 * Decides what a recording's chunks are encoded with: one CRF for all, the profile's or the highest that meets its target by samples, and longer
 * GOPs where nothing moves. The same recording and profile give the same settings, whoever plans; what was tried before costs nothing again. Throws
 * `media-invalid`, `object-not-found`, and what encoding and comparing throw; the signal's reason when aborted.
 */
export async function planSettings(
  chunks: readonly Chunk[],
  options: PlanSettingsOptions,
): Promise<PlannedSettings> {
  const { video } = options.profile;
  if (video === null || chunks.length === 0) return { chunks: [], choice: null };
  const segments = chunks.flatMap((chunk) => chunk.segments);
  const activities = await readActivities(options.store, segments, options.signal);
  const gops = gopsOf(chunks, activities, video);
  const choice =
    video.crf === null ? await findCrf(chunks, { activities, gops, options, video }) : null;
  const crf = choice?.crf ?? video.crf ?? 0;
  return { chunks: gops.map((gopSegments) => ({ crf, gopSegments })), choice };
}

function gopsOf(
  chunks: readonly Chunk[],
  activities: readonly SegmentActivity[],
  video: ReencodeVideo,
): readonly number[] {
  let from = 0;
  return chunks.map(({ segments }) => {
    const own = activities.slice(from, (from += segments.length));
    return chooseGopSegments(own, video);
  });
}

type Tried = {
  readonly activities: readonly SegmentActivity[];
  /** Of each chunk. */
  readonly gops: readonly number[];
  readonly options: PlanSettingsOptions;
  readonly video: ReencodeVideo;
};

async function findCrf(chunks: readonly Chunk[], tried: Tried): Promise<CrfChoice> {
  const { activities, options, video } = tried;
  const samples = pickSamples(activities);
  const resources = new Resources();
  try {
    const probes = new Map(
      samples.map((sample) => [sample, openProbe(sample, chunks, { ...tried, resources })]),
    );
    const choice = await chooseCrf({
      codec: video.codec,
      target: video.quality,
      misses: options.failures,
      samples,
      concurrency: options.concurrency,
      probeSample: async (sample, crf) => getProbe(probes, sample)(crf),
    });
    options.log?.info({ event: 'crf-chosen', ...choice, samples }, 'CRF chosen by samples');
    return choice;
  } finally {
    await resources.close();
  }
}

type Probe = (crf: number) => Promise<SampleProbe>;

/** Tries a sample as the chunk that it begins in will be encoded. */
function openProbe(
  sample: Sample,
  chunks: readonly Chunk[],
  { gops, options, resources }: Tried & { readonly resources: Resources },
): Probe {
  const isOf = ({ n }: { readonly n: number }): boolean =>
    n >= sample.first && n < sample.first + sample.segments;
  const segments = chunks.flatMap((chunk) => chunk.segments).filter(isOf);
  const gopSegments = gops[chunks.findIndex((chunk) => chunk.segments.some(isOf))];
  const { profile, recording } = options;
  const source = resources.use(new SampleSource(segments, { ...options, ffmpeg: profile.ffmpeg }));
  return (crf) =>
    source.probe(encodeSettings({ profile, recording, settings: { crf, gopSegments } }));
}

function getProbe(probes: ReadonlyMap<Sample, Probe>, sample: Sample): Probe {
  const probe = probes.get(sample);
  if (probe === undefined) throw new RangeError(`No sample begins at segment ${sample.first}`);
  return probe;
}
