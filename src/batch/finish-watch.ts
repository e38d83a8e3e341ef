import type { Closable } from '../lifecycle.ts';
import { asChalkreelError } from '../errors.ts';
import { traceOf } from '../model/recording.ts';
import { closeRedis } from '../queue/connection.ts';
import { requestReencode } from '../queue/request-reencode.ts';
import { redisKeys } from '../storage/redis-keys.ts';
import { profilesToMake } from './night.ts';
import type { BatchParts } from './jobs/parts.ts';

/** Whoever was away when a recording ended looks through so many of the newest. */
const LOOK_AT = 100;

/**
 * Asks for the re-encode of every recording as soon as it is over. An end that nobody heard of is made up for at the start; what is older
 * than that is the night's.
 */
export async function startFinishWatch(parts: BatchParts): Promise<Closable> {
  const { services, log } = parts;
  const subscriber = services.redis.openBlocking();
  let working: Promise<unknown> = Promise.resolve();
  const take = (id: string): void => {
    working = working
      .then(() => requestAtEnd(id, parts))
      .catch((error: unknown) => {
        log.warn({ event: 'end-not-followed', recordingId: id, err: error });
      });
  };
  subscriber.on('message', (_channel, id) => take(id));
  await subscriber.subscribe(redisKeys.recordingEnded);
  const { recordings } = await services.recordings.list({ state: 'completed', limit: LOOK_AT });
  for (const { id } of recordings) take(id);
  return {
    async close() {
      await closeRedis(subscriber);
      await working;
    },
  };
}

async function requestAtEnd(id: string, parts: BatchParts): Promise<void> {
  const { services, clock, log, newId } = parts;
  const recording = await services.recordings.find(id);
  // A recording that never had a picture has nothing to be re-encoded.
  if (recording?.originMs === undefined || recording.originMs === null) return;
  const profiles = profilesToMake(recording, parts);
  if (profiles.length === 0 || (recording.reencodes?.length ?? 0) > 0) return;
  const nowMs = Math.round(clock.nowMs());
  const wish = { profiles, origin: 'finish', night: null, nowMs } as const;
  await requestReencode(id, wish, { ...services, log, newId }).catch((error: unknown) => {
    // Deleted meanwhile, say.
    const { code } = asChalkreelError(error);
    log.warn({ event: 'end-not-followed', recordingId: id, traceId: traceOf(recording), code });
  });
}
