import type { RequestHandler } from 'express';
import { Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { RecordingRepository } from '../storage/recording-repository.ts';

/** The api's numbers: how long requests took, how many recordings are in each state, the process itself. */
export function createMetrics(recordings: RecordingRepository): {
  readonly measure: RequestHandler;
  readonly send: RequestHandler;
} {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: 'chalkreel_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10],
    registers: [registry],
  });
  new Gauge({
    name: 'chalkreel_recordings',
    help: 'Recordings by state',
    labelNames: ['state'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      // Without Redis the other numbers are still worth having.
      const counts = await recordings.countByState().catch(() => ({}));
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
    },
  });
  return {
    measure: (request, response, next) => {
      const end = duration.startTimer({ method: request.method });
      response.once('close', () => {
        // The route's pattern: neither ids nor tokens become labels.
        const { path } = (request.route ?? {}) as { path?: unknown };
        const route = typeof path === 'string' ? path : 'none';
        end({ route, status: String(response.statusCode) });
      });
      next();
    },
    send: async (_request, response) => {
      response.type(registry.contentType).send(await registry.metrics());
    },
  };
}
