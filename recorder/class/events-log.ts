import { systemClock } from '../../src/clock.ts';
import type { Log } from '../../src/log.ts';
import type { ClassEvent } from '../../src/protocol/class-event.ts';
import type { HeardEvent } from '../../src/protocol/events-log.ts';
import type { HighlightTrigger } from '../../src/protocol/highlight-trigger.ts';
import { EventLimits, type Refusal } from './event-limits.ts';
import { retried } from '../retried.ts';

/** What was heard is durable this soon, and the time of a write: within a second. The most that a killed worker takes with it. */
const FLUSH_MS = 600;
/** Lines written at once. */
const MAX_LINES = 2_000;
/** What waits while storage is away; more is counted as dropped. */
const MAX_WAITING = 50_000;
/** Ids remembered: who joins a class again is told again of what was said lately. */
const MAX_IDS = 20_000;
/** A page's idea of when something happened is believed within this. */
const MAX_AGE_MS = 86_400_000;
const MAX_AHEAD_MS = 1_000;

/** Takes lines; durable when it resolves. Called with the same again when it throws. */
export type EventSink = (lines: readonly string[]) => Promise<void>;

export type EventsLogOptions = {
  readonly sink: EventSink;
  /** The fleet's clock, Unix ms. */
  readonly nowMs: () => number;
  /** The clock of the machine that the page runs on, Unix ms. Default: this one's. */
  readonly pageNowMs?: () => number;
  readonly log: Log;
  /** Aborts when nothing can be written any more. */
  readonly signal: AbortSignal;
};

/** A run, as far as its log is concerned. */
type EventSource = {
  on(event: 'highlight', listener: (trigger: HighlightTrigger) => void): unknown;
  on(event: 'classEvent', listener: (event: ClassEvent) => void): unknown;
};

/** Keeps a line for everything that happens in a recorded class, as its page tells. Trouble with storage is retried; nothing is thrown. */
export class EventsLog {
  readonly #options: EventsLogOptions;
  readonly #limits: EventLimits;
  readonly #ids = new Set<string>();
  readonly #dropped = new Map<Refusal, number>();
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;

  constructor(options: EventsLogOptions) {
    this.#options = options;
    this.#limits = new EventLimits(options.nowMs);
  }

  /** Hears a run from now on. */
  follow(run: EventSource): void {
    run.on('classEvent', (event) => this.hear(event));
    run.on('highlight', ({ triggerId, ...trigger }) => {
      const atMs = trigger.atMs ?? trigger.startMs;
      this.hear({ ...trigger, type: 'highlight', eventId: triggerId, atMs });
    });
  }

  hear(event: ClassEvent): void {
    const { type, eventId } = event;
    if (eventId !== undefined && this.#isKnown(`${type} ${eventId}`)) return;
    const line = JSON.stringify(this.#place(event));
    const refusal =
      this.#waiting.length >= MAX_WAITING ? 'rate' : this.#limits.refuse(Buffer.byteLength(line));
    if (refusal !== undefined) this.#drop(refusal);
    else this.#waiting.push(line);
    this.#schedule();
  }

  /** Resolves when everything heard so far is durable, or given up. */
  async settled(): Promise<void> {
    do {
      this.#flush();
      await this.#writing;
    } while (this.#hasWaiting && !this.#options.signal.aborted);
  }

  /** On the fleet's clock. What the page says of lines' own places is not heard. */
  #place({ atMs, offsetMs: _, type, ...rest }: ClassEvent): HeardEvent {
    const { nowMs, pageNowMs = () => systemClock.nowMs() } = this.#options;
    const now = nowMs();
    const asked = atMs === undefined ? now : atMs + now - pageNowMs();
    const placed = Math.min(now + MAX_AHEAD_MS, Math.max(now - MAX_AGE_MS, asked));
    return { type, atMs: Math.max(0, Math.round(placed)), ...rest };
  }

  #isKnown(id: string): boolean {
    if (this.#ids.has(id)) return true;
    this.#ids.add(id);
    if (this.#ids.size > MAX_IDS) {
      const [oldest = ''] = this.#ids;
      this.#ids.delete(oldest);
    }
    return false;
  }

  #drop(why: Refusal): void {
    const { log } = this.#options;
    if (!this.#dropped.has(why)) log.warn({ event: 'class-events-dropped', why });
    this.#dropped.set(why, (this.#dropped.get(why) ?? 0) + 1);
  }

  get #hasWaiting(): boolean {
    return this.#waiting.length > 0 || this.#dropped.size > 0;
  }

  #schedule(): void {
    if (!this.#isWriting) this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isWriting || !this.#hasWaiting) return;
    this.#isWriting = true;
    this.#writing = this.#write().finally(() => {
      this.#isWriting = false;
      if (this.#hasWaiting && !this.#options.signal.aborted) this.#schedule();
    });
  }

  /** Writes what waits now; what comes meanwhile has its own turn. */
  async #write(): Promise<void> {
    const { sink, signal, log } = this.#options;
    const lines = this.#take();
    try {
      for (let from = 0; from < lines.length; from += MAX_LINES) {
        await retried(() => sink(lines.slice(from, from + MAX_LINES)), signal);
      }
    } catch (error) {
      if (!signal.aborted) log.warn({ event: 'class-events-not-kept', err: error });
    }
  }

  #take(): readonly string[] {
    const lines = this.#waiting;
    this.#waiting = [];
    const atMs = Math.round(this.#options.nowMs());
    for (const [why, events] of this.#dropped) {
      lines.push(JSON.stringify({ type: 'dropped', atMs, events, why }));
    }
    this.#dropped.clear();
    return lines;
  }
}
