import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { Platform } from '../../../src/cli/demo/platform.ts';
import { startSystem } from '../../../src/cli/supervisor.ts';
import { loadConfig } from '../../../src/config.ts';
import { delay, Resources } from '../../../src/lifecycle.ts';
import { createLog } from '../../../src/log.ts';
import { isFinal } from '../../../src/model/recording.ts';
import { SEGMENT_MS } from '../../../src/model/grid.ts';
import { barcodePage } from '../../support/barcode-page.ts';
import { servePages } from '../../support/page-server.ts';
import type { Measurement } from '../measure.ts';
import { FPS } from './material.ts';
import { percentile } from './percentile.ts';

/** Asked again after this: what is measured is known to so much. */
const POLL_MS = 10;
const TIMEOUT_MS = 30_000;
/** Between triggers: no whole number of segments, so that they fall anywhere in one. */
const EVERY_MS = 2083;
const BOUND_MS = 2000;

/** On a recording that is being made by the whole system: from a trigger to the segment with its moment in the clip's playlist. */
export async function measureLiveEdge(folder: string, triggers: number): Promise<Measurement[]> {
  const resources = new Resources();
  try {
    const dataDir = path.join(folder, 'live');
    const output = openSync(path.join(folder, 'system.log'), 'a');
    resources.defer(() => {
      closeSync(output);
    });
    const pages = resources.use(await servePages({ '/barcode': barcodePage({ fps: FPS }) }));
    const config = { ...loadConfig(), dataDir, port: 0 };
    const log = createLog('supervisor', 'warn');
    const system = resources.use(await startSystem({ config, log, output }));
    const platform = new Platform(system);
    const wait = { onSeen: () => undefined, timeoutMs: TIMEOUT_MS };
    const { id } = await platform.createRecording({ url: `${pages.url}/barcode` });
    const begun = await platform.watch(id, {
      ...wait,
      isDone: ({ state, progress }) => state === 'recording' && (progress?.segments ?? 0) > 2,
    });
    const originMs = begun.originMs ?? NaN;
    const samples: number[] = [];
    for (let i = 0; i < triggers; i++) {
      const startedAt = performance.now();
      samples.push(await triggerOnce(system, { id, originMs }));
      await delay(Math.max(0, EVERY_MS - (performance.now() - startedAt)));
    }
    await platform.stopRecording(id);
    await platform.watch(id, { ...wait, isDone: ({ state }) => isFinal(state) });
    return [
      { name: 'live-edge', unit: 'ms', samples },
      {
        name: 'live-edge-p95',
        unit: 'ms',
        samples: [percentile(samples, 95)],
        bound: { is: '<=', value: BOUND_MS },
      },
    ];
  } finally {
    await resources.close();
  }
}

/** Presses now, and asks for the clip's playlist until it has the segment with this moment. */
async function triggerOnce(
  system: { readonly url: string; readonly apiKey: string },
  { id, originMs }: { readonly id: string; readonly originMs: number },
): Promise<number> {
  const headers = { authorization: `Bearer ${system.apiKey}`, 'content-type': 'application/json' };
  const startedAt = performance.now();
  const url = `${system.url}/v1/recordings/${id}/highlights`;
  const answer = await fetch(url, { method: 'POST', headers, body: '{"beforeMs": 10000}' });
  const highlight = (await answer.json()) as { triggeredAtMs: number; links: { playlist: string } };
  const n = Math.floor((highlight.triggeredAtMs - originMs) / SEGMENT_MS);
  const name = `/${String(n).padStart(6, '0')}-`;
  for (;;) {
    const response = await fetch(highlight.links.playlist);
    if (response.ok && (await response.text()).includes(name)) return performance.now() - startedAt;
    if (performance.now() - startedAt > TIMEOUT_MS) throw new Error(`segment ${n} never came`);
    await delay(POLL_MS);
  }
}
