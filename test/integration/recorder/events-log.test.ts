import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { FolderStore } from '../../../src/storage/objects/folder-store.ts';
import { readEventLog } from '../../../src/storage/events/event-log.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

/** What a killed worker may take with it. */
const LAST_SECOND_MS = 1_000;
/** Heard for so long, so that several objects are there. */
const HEARD_MS = 3_000;

it('keeps all that a worker heard but for the last second, when it is killed with -9', async () => {
  const folder = await makeTempFolder('events');
  try {
    const program = path.join(import.meta.dirname, 'run-events-log.ts');
    const args = ['--import', 'tsx', program, folder.path, 'class'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const heard: number[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      heard.push(Number(line));
      if (heard.at(-1)! - heard[0]! > HEARD_MS && !child.killed) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const store = await FolderStore.open(folder.path);
    const text = String(await readEventLog(store, { id: 'class', originMs: heard[0]! }));
    const lines = text.split('\n').filter(Boolean);
    const kept = lines.map((line) => Number((JSON.parse(line) as { eventId: string }).eventId));
    const last = heard.at(-1)!;
    const due = heard.filter((atMs) => atMs < last - LAST_SECOND_MS);
    expect(due.length).toBeGreaterThan(50);
    expect(kept).toEqual(expect.arrayContaining(due));
    expect(new Set(kept).size).toBe(kept.length);
  } finally {
    await folder.close();
  }
});
