import type { RequestHandler } from 'express';
import { Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { gaugeBatch } from './batch-metrics.ts';
import { PROGRESS_NUMBERS, readProgress, type ProgressNumber } from '../model/progress.ts';
import type { StatusServices } from '../queue/batch-status.ts';
import type { RecordingRepository } from '../storage/records/recording-repository.ts';

/** Running recordings with numbers of their own, newest first: more would be too many labels. */
const MAX_RECORDINGS = 100;

/**
 * The api's numbers: how long requests took, how many recordings are in each state, how each running one goes (the same
 * numbers as in its report and in the worker's log), the process itself.
 */
export function createMetrics(services: StatusServices): {
  readonly measure: RequestHandler;
  readonly send: RequestHandler;
} {
  const { recordings } = services;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  countStates(registry, recordings);
  gaugeBatch(registry, services);
  const readRunning = gaugeRunning(registry, recordings);
  return {
    measure: measureRequests(registry),
    send: async (_request, response) => {
      // Without Redis the other numbers are still worth having.
      await readRunning().catch(() => undefined);
      response.type(registry.contentType).send(await registry.metrics());
    },
  };
}

function measureRequests(registry: Registry): RequestHandler {
  const duration = new Histogram({
    name: 'chalkreel_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10],
    registers: [registry],
  });
  return (request, response, next) => {
    const end = duration.startTimer({ method: request.method });
    response.once('close', () => {
      // The route's pattern: neither ids nor tokens become labels.
      const { path } = (request.route ?? {}) as { path?: unknown };
      const route = typeof path === 'string' ? path : 'none';
      end({ route, status: String(response.statusCode) });
    });
    next();
  };
}

function countStates(registry: Registry, recordings: RecordingRepository): void {
  new Gauge({
    name: 'chalkreel_recordings',
    help: 'Recordings by state',
    labelNames: ['state'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      const counts = await recordings.countByState().catch(() => ({}));
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
    },
  });
}

/** A gauge for each number of RecordingProgress; they are set anew by the function returned. */
function gaugeRunning(registry: Registry, recordings: RecordingRepository): () => Promise<void> {
  const gauges = new Map<string, Gauge<'recording'>>();
  for (const [key, { help }] of Object.entries(PROGRESS_NUMBERS)) {
    const name = metricName(key as ProgressNumber);
    gauges.set(
      key,
      new Gauge({ name, help, labelNames: ['recording'] as const, registers: [registry] }),
    );
  }
  return async () => {
    for (const gauge of gauges.values()) gauge.reset();
    const running = await recordings.list({ state: 'recording', limit: MAX_RECORDINGS });
    for (const { id } of running.recordings) {
      const progress = await recordings.findProgress(id);
      if (progress === undefined) continue;
      for (const [key, value] of Object.entries(readProgress(progress))) {
        gauges.get(key)?.set({ recording: id }, value);
      }
    }
  };
}

/** `framesCaptured` as `chalkreel_recording_frames_captured`. */
function metricName(key: ProgressNumber): string {
  return `chalkreel_recording_${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
}
