/**
 * Program of the lossy-line test, in a network namespace of its own: records a class whose media is late by a relay (and loses what
 * the namespace's rules drop), stops one publisher for a while, and prints what was made as JSON. Arguments: folder, seconds.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { delay, Resources } from '../../../src/lifecycle.ts';
import { waitUntil } from '../wait-until.ts';
import { openLateRelay } from './late-relay.ts';
import { recordRoom } from './record-room.ts';
import { PUPILS, startSfuClass } from './sfu-class.ts';

/** From the first segment on, and for how long anna's publisher is stopped: less than a source may be away. */
const STOP_AFTER_MS = 4000;
const STOPPED_MS = 1000;
const START_MS = 90_000;

const [folder = '', seconds = '12'] = process.argv.slice(2);
const resources = new Resources();
try {
  const room = resources.use(await startSfuClass());
  const relay = resources.use(
    await openLateRelay(room.sfu.urlOf(''), { delayMs: 10, jitterMs: 30 }),
  );
  const sources = PUPILS.map(({ participantId: id }) =>
    room.sourceOf(id, { url: relay.urlOf(id) }),
  );
  const recording = recordRoom(room.describe(sources), {
    ...{ folder, seconds: Number(seconds), fps: 10 },
  });
  const playlist = path.join(folder, 'index.m3u8');
  await Promise.race([
    recording,
    waitUntil('the first segment', () => existsSync(playlist), START_MS),
  ]);
  await delay(STOP_AFTER_MS);
  room.publishers.anna.pause();
  await delay(STOPPED_MS);
  room.publishers.anna.resume();
  process.stdout.write(`${JSON.stringify(await recording)}\n`);
} finally {
  await resources.close();
}
