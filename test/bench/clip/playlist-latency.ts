import { Agent, request } from 'node:http';
import { SEGMENT_MS, segmentStartMs } from '../../../src/model/grid.ts';
import { TEST_API_KEY } from '../../support/api-server.ts';
import type { Measurement } from '../measure.ts';
import type { Lesson } from './lesson.ts';
import { percentile } from './percentile.ts';

const WARM_UP = 30;
const ONE_AT_A_TIME = 200;
const PER_SECOND = 100;
const AT_ONCE = 100;
/** Length of the windows, all of them closed. */
const WINDOW_MS = 30_000;

/** From a POST to the last byte of the clip's first media segment, as a player gets there: trigger, playlist, segment. */
export async function measurePlaylistLatency(
  port: number,
  lesson: Lesson,
  { rateSeconds }: { readonly rateSeconds: number },
): Promise<Measurement[]> {
  const client = new Client(port, lesson);
  try {
    for (let i = 0; i < WARM_UP; i++) await client.clip();
    const single: number[] = [];
    for (let i = 0; i < ONE_AT_A_TIME; i++) single.push(await client.clip());
    const rated = await atRate(client, PER_SECOND * rateSeconds);
    const { all, refused, totalMs } = await atOnce(client);
    const row = (name: string, value: number, bound: number, samples = [value]): Measurement => ({
      name: `playlist-latency-${name}`,
      unit: 'ms',
      samples,
      bound: { is: '<=', value: bound },
    });
    return [
      row('one-at-a-time-p50', percentile(single, 50), 5),
      row('one-at-a-time-p99', percentile(single, 99), 25),
      row(`${PER_SECOND}-a-second-p99`, percentile(rated, 99), 50),
      row(`${AT_ONCE}-at-once-all`, totalMs, 250),
      {
        name: `playlist-latency-${AT_ONCE}-at-once-p50`,
        unit: 'ms',
        samples: [percentile(all, 50)],
      },
      {
        name: `playlist-latency-${AT_ONCE}-at-once-refused`,
        unit: 'requests',
        samples: [refused],
        bound: { is: '==', value: 0 },
      },
    ];
  } finally {
    client.close();
  }
}

/** Begun on the beat, whether those before are answered or not. */
async function atRate(client: Client, count: number): Promise<number[]> {
  const startedAt = performance.now();
  const begun: Promise<number>[] = [];
  for (let i = 0; i < count; i++) {
    const dueAt = startedAt + (i * 1000) / PER_SECOND;
    while (performance.now() < dueAt) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())));
    }
    // Late begins count: the time is from when it was due.
    const lateMs = performance.now() - dueAt;
    begun.push(client.clip().then((ms) => ms + lateMs));
  }
  return Promise.all(begun);
}

async function atOnce(
  client: Client,
): Promise<{ all: number[]; refused: number; totalMs: number }> {
  const startedAt = performance.now();
  const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => client.clip()));
  const totalMs = performance.now() - startedAt;
  const all = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  return { all, refused: AT_ONCE - all.length, totalMs };
}

/** A platform and its viewer in one, over connections that stay open. */
class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #port: number;
  readonly #lesson: Lesson;
  #count = 0;

  constructor(port: number, lesson: Lesson) {
    this.#port = port;
    this.#lesson = lesson;
  }

  /** Triggers a clip of the next window, and gets its first segment; ms it took. Throws when something is refused. */
  async clip(): Promise<number> {
    const { id, originMs, entries } = this.#lesson;
    // Spread over the lesson by the golden ratio: no two are alike.
    const share = (this.#count++ * 0.618034) % 1;
    const lengthMs = entries.length * SEGMENT_MS;
    const startMs = segmentStartMs(0, originMs) + Math.floor(share * (lengthMs - WINDOW_MS));
    const body = JSON.stringify({
      triggerId: `bench-${process.pid}-${this.#count}`,
      startMs,
      endMs: startMs + WINDOW_MS,
    });
    const startedAt = performance.now();
    const answer = await this.#ask('POST', `/v1/recordings/${id}/highlights`, body);
    const { links } = JSON.parse(answer.toString()) as { links: { playlist: string } };
    const playlist = new URL(links.playlist);
    const text = (await this.#ask('GET', playlist.pathname + playlist.search)).toString();
    const uri = text.split('\n').find((line) => line !== '' && !line.startsWith('#'));
    if (uri === undefined) throw new Error(`no segment in ${text}`);
    const segment = new URL(uri, playlist);
    const media = await this.#ask('GET', segment.pathname + segment.search);
    if (media.length % 188 !== 0 || media.length === 0) throw new Error('no transport stream');
    return performance.now() - startedAt;
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(method: string, path: string, body?: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const headers = {
        Authorization: `Bearer ${TEST_API_KEY}`,
        ...(body === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
      };
      const options = {
        host: '127.0.0.1',
        port: this.#port,
        agent: this.#agent,
        method,
        path,
        headers,
      };
      const asked = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(bytes);
          else
            reject(
              new Error(`${method} ${path} answers ${status}: ${bytes.toString().slice(0, 300)}`),
            );
        });
      });
      asked.on('error', reject).end(body);
    });
  }
}
