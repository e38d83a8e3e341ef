import { Counter, Gauge, type Registry } from 'prom-client';
import { isOpenRun } from '../model/reencode-run.ts';
import { BATCH_TOTALS, type BatchTotal } from '../queue/batch-board.ts';
import { readBatch, type StatusServices } from '../queue/batch-status.ts';

/** Open re-encodes looked at for their states; more are counted as waiting. */
const MAX_LOOKED_AT = 200;

/** The batch's numbers: what it has done since Redis was new, what is open, who works, and how the night goes. */
export function gaugeBatch(registry: Registry, sources: StatusServices): void {
  countTotals(registry, sources);
  gaugeOpen(registry, sources);
  gaugeWorkers(registry, sources);
  gaugeNight(registry, sources);
}

function countTotals(registry: Registry, { board }: StatusServices): void {
  for (const [key, help] of Object.entries(BATCH_TOTALS)) {
    new Counter({
      name: `chalkreel_batch_${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`,
      help,
      registers: [registry],
      async collect() {
        // Without Redis the other numbers are still worth having.
        const totals = await board.readTotals().catch(() => undefined);
        this.reset();
        this.inc(totals?.[key as BatchTotal] ?? 0);
      },
    });
  }
}

function gaugeOpen(registry: Registry, { recordings }: StatusServices): void {
  new Gauge({
    name: 'chalkreel_reencodes_open',
    help: 'Re-encodes that are not over, by state',
    labelNames: ['state'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      const ids = await recordings.listReencoding().catch(() => []);
      for (const id of ids.slice(0, MAX_LOOKED_AT)) {
        const recording = await recordings.find(id).catch(() => undefined);
        for (const { state } of recording?.reencodes?.filter(isOpenRun) ?? []) this.inc({ state });
      }
      if (ids.length > MAX_LOOKED_AT) this.inc({ state: 'waiting' }, ids.length - MAX_LOOKED_AT);
    },
  });
}

function gaugeWorkers(registry: Registry, { board }: StatusServices): void {
  new Gauge({
    name: 'chalkreel_batch_slots',
    help: 'Encoders of all batch workers, by what they do',
    labelNames: ['state'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      const workers = await board.readWorkers(Date.now()).catch(() => []);
      for (const { slots, busy, isPaused } of workers) {
        this.inc({ state: isPaused ? 'paused' : 'busy' }, busy);
        this.inc({ state: isPaused ? 'paused' : 'free' }, Math.max(0, slots - busy));
      }
    },
  });
}

function gaugeNight(registry: Registry, sources: StatusServices): void {
  new Gauge({
    name: 'chalkreel_batch_night',
    help: 'The last night: how far it is (0 to 1), time left, recordings by what became of them',
    labelNames: ['number'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      const status = await readBatch(sources, undefined, Date.now()).catch(() => undefined);
      const night = status?.night;
      if (night === undefined || night === null) return;
      const { fraction, etaMs, deferred, recordings } = night;
      const numbers = { fraction, eta_seconds: (etaMs ?? 0) / 1000, deferred, ...recordings };
      for (const [number, value] of Object.entries(numbers)) this.set({ number }, value);
    },
  });
}
