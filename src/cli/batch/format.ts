import type { BatchStatus, ReencodeStatus, RunStatus } from '../../queue/batch-status.ts';

/** The night, who works, and what is under way, as lines for people. Times as clocks in the nights' time zone show them. */
export function formatBatch(status: BatchStatus, timeZone: string): string {
  const { night, next, workers, recordings } = status;
  const busy = workers.reduce((sum, worker) => sum + worker.busy, 0);
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  const paused = workers.filter(({ isPaused }) => isPaused).length;
  return [
    night === null ? 'No night yet.' : formatNight(night, timeZone),
    ...(next === null ? [] : [`Next: ${clock(next.startsAtMs, timeZone)}.`]),
    workers.length === 0
      ? 'No batch worker runs.'
      : `${workers.length} workers, ${busy} of ${slots} encoders at work${paused > 0 ? `, ${paused} give way to live recordings` : ''}.`,
    ...recordings.map(formatReencode),
  ].join('\n');
}

/** A recording's re-encodes, a line for each profile. */
export function formatReencode({ recordingId, state, profiles }: ReencodeStatus): string {
  if (profiles.length === 0) return `${recordingId}  was never re-encoded`;
  return [`${recordingId}  ${state}`, ...profiles.map((run) => `  ${formatRun(run)}`)].join('\n');
}

function formatNight(night: NonNullable<BatchStatus['night']>, timeZone: string): string {
  const { open, completed, failed, cancelled } = night.recordings;
  const counts = [
    `${completed} done`,
    ...(open > 0 ? [`${open} to do`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : []),
    ...(night.deferred > 0 ? [`${night.deferred} left to the next`] : []),
  ].join(', ');
  const saved =
    night.bytesBefore > 0 ? ` ${bytes(night.bytesBefore)} became ${bytes(night.bytesAfter)}.` : '';
  const eta = night.etaMs === null ? '' : `, ${duration(night.etaMs)} to go`;
  const late = night.isLate ? ': not through before its end' : '';
  return `Night of ${night.date} (until ${clock(night.endsAtMs, timeZone)}): ${night.state}, ${percent(night.fraction)}${eta}${late}. Recordings: ${counts}.${saved}`;
}

function formatRun(run: RunStatus): string {
  const { profile, state, chunks, outcome, detail } = run;
  if (state === 'completed' && outcome !== null) {
    const quality = outcome.ssimDb === null ? '' : `, SSIM ${outcome.ssimDb.toFixed(1)} dB`;
    return `${profile}: ${bytes(outcome.bytesBefore)} became ${bytes(outcome.bytesAfter)}${quality}`;
  }
  if (state === 'failed') return `${profile}: failed: ${detail ?? run.reason ?? ''}`;
  if (state === 'cancelled' || state === 'waiting') return `${profile}: ${state}`;
  const eta = run.etaMs === null ? '' : `, ${duration(run.etaMs)} to go`;
  const retried = chunks.retried > 0 ? `, ${chunks.retried} tries failed` : '';
  return `${profile}: ${state}, ${percent(run.fraction)}, chunk ${chunks.done} of ${chunks.total}${retried}${eta}`;
}

export function percent(fraction: number): string {
  return `${Math.floor(fraction * 100)} %`;
}

/** `1 h 05 min`, `4 min 10 s`, `9 s`. */
export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  if (seconds >= 3600)
    return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  if (seconds >= 60) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${seconds} s`;
}

function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? ''}`;
}

function clock(unixMs: number, timeZone: string): string {
  const format = { timeZone, dateStyle: 'medium', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat('en-GB', format).format(unixMs);
}
