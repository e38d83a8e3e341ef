import { setTimeout as sleep } from 'node:timers/promises';
import { ChalkreelError } from '../../errors.ts';
import type { Highlight } from '../../model/highlight.ts';
import type { RecordingProgress } from '../../model/progress.ts';
import { isFinal, type Recording } from '../../model/recording.ts';

/** How often the API is asked. */
const POLL_MS = 250;

export type RecordingView = Recording & {
  readonly progress: RecordingProgress | null;
  readonly links: { readonly playlist: string; readonly watch: string };
};
export type HighlightView = Highlight & { readonly links: { readonly playlist: string } };

/** Chalkreel's API as a platform's back end uses it: HTTP and a key, nothing else. */
export class Platform {
  readonly #url: string;
  readonly #key: string;

  constructor(system: { readonly url: string; readonly apiKey: string }) {
    this.#url = system.url;
    this.#key = system.apiKey;
  }

  createRecording(body: unknown): Promise<RecordingView> {
    return this.#json('/v1/recordings', { method: 'POST', body: JSON.stringify(body) });
  }

  stopRecording(id: string): Promise<RecordingView> {
    return this.#json(`/v1/recordings/${id}/stop`, { method: 'POST' });
  }

  getRecording(id: string): Promise<RecordingView> {
    return this.#json(`/v1/recordings/${id}`);
  }

  async listHighlights(recordingId: string): Promise<readonly HighlightView[]> {
    const answer = await this.#json<{ highlights: HighlightView[] }>(
      `/v1/recordings/${recordingId}/highlights`,
    );
    return answer.highlights;
  }

  /** The text behind a link, which may be absolute or a path. */
  async text(link: string): Promise<string> {
    return (await this.#fetch(link)).text();
  }

  /** Looks at the recording until `isDone`, telling `onSeen`; throws `demo-timeout`, or `recording-failed`. */
  async watch(
    id: string,
    options: {
      readonly isDone: (recording: RecordingView) => boolean;
      readonly onSeen: (recording: RecordingView) => void;
      readonly timeoutMs: number;
    },
  ): Promise<RecordingView> {
    const deadline = performance.now() + options.timeoutMs;
    for (;;) {
      const recording = await this.getRecording(id);
      options.onSeen(recording);
      if (options.isDone(recording)) return recording;
      if (isFinal(recording.state)) {
        const end = recording.history.at(-1);
        throw accident('recording-failed', `recording ${recording.state}: ${end?.detail ?? ''}`);
      }
      if (performance.now() > deadline) {
        throw accident('demo-timeout', `recording is still ${recording.state}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Waits for the clip's own media. */
  async waitForClip(recordingId: string, timeoutMs: number): Promise<HighlightView> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const [highlight] = await this.listHighlights(recordingId);
      if (highlight?.state === 'completed') return highlight;
      if (highlight?.state === 'failed') {
        throw accident('clip-failed', `the clip failed: ${highlight.reason ?? ''}`);
      }
      if (performance.now() > deadline) {
        throw accident('demo-timeout', `the clip is still ${highlight?.state ?? 'not there'}`);
      }
      await sleep(POLL_MS);
    }
  }

  async #json<T>(path: string, init: RequestInit = {}): Promise<T> {
    return (await (await this.#fetch(path, init)).json()) as T;
  }

  async #fetch(link: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(new URL(link, this.#url), {
      ...init,
      headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
    });
    if (response.ok) return response;
    throw accident('api-refused', `${link} answered ${response.status}: ${await response.text()}`);
  }
}

function accident(code: string, message: string): ChalkreelError {
  return new ChalkreelError(code, message, { fault: 'dependency' });
}
