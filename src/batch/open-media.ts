import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../clock.ts';
import type { Services } from '../queue/open-services.ts';
import { planChunks } from './chunk/chunk-plan.ts';
import { encodeChunk } from './chunk/encode-chunk.ts';
import { joinChunks } from './join/join.ts';
import type { BatchMedia } from './media.ts';
import { planSettings } from './settings/plan-settings.ts';
import { proveOutput } from './proof/prove.ts';
import { measureQuality } from './proof/quality.ts';
import { swapReencode } from './proof/swap.ts';

export type OpenMediaOptions = {
  readonly services: Pick<Services, 'store' | 'segments' | 'recordings'>;
  /** This worker's own. */
  readonly folder: string;
  /** Encoders that may run at once. */
  readonly slots: number;
  readonly clock: Clock;
};

/** What the batch does to media, by ffmpeg. */
export function openMedia({ services, folder, slots, clock }: OpenMediaOptions): BatchMedia {
  const { store, segments, recordings } = services;
  return {
    async plan({ recording, run }, context) {
      const { profile, misses } = run;
      const chunks = planChunks(await segments.readAll(recording.id), profile);
      const options = { profile, store, recording, folder, concurrency: slots, failures: misses };
      const settings = await planSettings(chunks, { ...options, ...context });
      return chunks.map((chunk, i) => {
        const own = settings.chunks[i];
        if (own === undefined) throw new RangeError(`Expected settings of chunk ${i}.`);
        return { chunk, settings: own };
      });
    },
    encodeChunk: ({ recording, run }, { chunk, settings }, context) =>
      encodeChunk(chunk, { profile: run.profile, settings, store, recording, folder, ...context }),
    async finish({ recording, run }, results, { signal, log, onState, mayReplace }) {
      const { profile } = run;
      const source = await segments.readAll(recording.id);
      // As large as the recording, twice.
      const own = await mkdtemp(path.join(folder, 'join-'));
      const options = { profile, source, recording, store, folder: own, signal, log };
      try {
        await onState('joining');
        const joined = await joinChunks(results, options);
        await onState('proving');
        const proof = await proveOutput(source, joined, { ...options, measure: measureQuality });
        const nowMs = clock.nowMs();
        return await swapReencode(joined, { ...options, recordings, proof, nowMs, mayReplace });
      } finally {
        await rm(own, { recursive: true, force: true });
      }
    },
  };
}
