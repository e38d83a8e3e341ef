import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeEventLog } from '../../src/storage/events/event-log.ts';
import { parseEvents } from '../../src/storage/events/event-chunks.ts';
import { joinEvents } from '../../src/storage/events/join-events.ts';
import type { EventSink } from './events-log.ts';

/** The events of a recording in a plain folder: `events.jsonl.part` as they are heard, `events.jsonl` at the end. */
export type FolderEvents = {
  readonly sink: EventSink;
  /** Writes `events.jsonl` of a recording with this origin. */
  finish(originMs: number): Promise<void>;
};

export function openFolderEvents(folder: string): FolderEvents {
  const file = path.join(folder, 'events.jsonl');
  const part = `${file}.part`;
  return {
    sink: (lines) => appendFile(part, lines.map((line) => `${line}\n`).join('')),
    finish: async (originMs) => {
      const events = parseEvents(await readFile(part, 'utf8').catch(() => ''));
      await writeFile(file, writeEventLog(joinEvents([{ writer: '', events }]), originMs));
      await rm(part, { force: true });
    },
  };
}
