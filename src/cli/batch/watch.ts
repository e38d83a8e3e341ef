import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { delay } from '../../lifecycle.ts';
import type { BatchStatus, ReencodeStatus } from '../../queue/batch-status.ts';
import { duration, percent } from './format.ts';

/** Looked at so often. */
const LOOK_MS = 1_000;
/** Where nobody sees a bar move, a line is printed so often. */
const LINE_MS = 10_000;
/** Bars at a time: what fits a screen. */
const MAX_BARS = 20;
const STEPS = 1_000;

type Watched = { readonly text: string; readonly status: BatchStatus | ReencodeStatus };

type Row = { readonly name: string; readonly fraction: number; readonly note: string };

/**
 * Shows how it goes, a bar for the night and for each recording's profile, until nothing is left to do or the signal aborts; then the whole
 * as text. Without a terminal it prints a line now and then.
 */
export async function watchBatch(read: () => Promise<Watched>, signal: AbortSignal): Promise<void> {
  const bars = process.stdout.isTTY ? openBars() : undefined;
  let linePrintedAt = -Infinity;
  for (;;) {
    const { text, status } = await read();
    const rows = rowsOf(status);
    if (signal.aborted || isThrough(status)) {
      bars?.stop();
      process.stdout.write(`${text}\n`);
      return;
    }
    bars?.show(rows);
    if (bars === undefined && performance.now() - linePrintedAt >= LINE_MS) {
      linePrintedAt = performance.now();
      const line = rows.map(({ name, fraction, note }) => `${name} ${percent(fraction)} ${note}`);
      process.stdout.write(`${line.join(' | ')}\n`);
    }
    await delay(LOOK_MS, signal).catch(() => undefined);
  }
}

/** Nothing is under way, in a night or not. */
function isThrough(status: BatchStatus | ReencodeStatus): boolean {
  if ('profiles' in status) return status.state !== 'running' && status.state !== 'waiting';
  return status.recordings.length === 0 && status.night?.state !== 'planning';
}

function rowsOf(status: BatchStatus | ReencodeStatus): readonly Row[] {
  if ('profiles' in status) return runRows(status);
  const { night, recordings } = status;
  const whole =
    night === null
      ? []
      : [{ name: `night ${night.date}`, fraction: night.fraction, note: left(night.etaMs) }];
  return [...whole, ...recordings.flatMap(runRows)].slice(0, MAX_BARS);
}

function runRows({ recordingId, profiles }: ReencodeStatus): readonly Row[] {
  return profiles.map(({ profile, state, fraction, chunks, etaMs }) => {
    const chunk = state === 'encoding' ? ` ${chunks.done}/${chunks.total}` : '';
    return { name: `${recordingId} ${profile}`, fraction, note: `${state}${chunk} ${left(etaMs)}` };
  });
}

function left(etaMs: number | null): string {
  return etaMs === null ? '' : `${duration(etaMs)} to go`;
}

function openBars(): { show(rows: readonly Row[]): void; stop(): void } {
  const multi = new MultiBar(
    { format: '{name} [{bar}] {percentage} % {note}', clearOnComplete: true, hideCursor: true },
    Presets.rect,
  );
  const bars = new Map<string, SingleBar>();
  return {
    show(rows) {
      const names = new Set(rows.map(({ name }) => name));
      for (const [name, bar] of bars) {
        if (names.has(name)) continue;
        multi.remove(bar);
        bars.delete(name);
      }
      for (const { name, fraction, note } of rows) {
        const bar = bars.get(name) ?? multi.create(STEPS, 0, { name, note });
        bars.set(name, bar);
        bar.update(Math.round(fraction * STEPS), { name, note });
      }
    },
    stop() {
      multi.stop();
    },
  };
}
