import { EventsLog } from '../../../recorder/class/events-log.ts';
import { createLog } from '../../../src/log.ts';
import { EventChunks } from '../../../src/storage/events/event-chunks.ts';
import { FolderStore } from '../../../src/storage/objects/folder-store.ts';

/** A worker that hears of something each 20 ms, for ever: to be killed. Prints the time of each event, once it was heard. */
const [folder = '', recordingId = ''] = process.argv.slice(2);
const chunks = new EventChunks(await FolderStore.open(folder), recordingId, { lane: 0, epoch: 1 });
const log = new EventsLog({
  sink: (lines) => chunks.put(lines),
  nowMs: () => Date.now(),
  log: createLog('test', 'silent'),
  signal: new AbortController().signal,
});
setInterval(() => {
  const atMs = Date.now();
  log.hear({ type: 'tick', eventId: `${atMs}`, atMs });
  process.stdout.write(`${atMs}\n`);
}, 20);
