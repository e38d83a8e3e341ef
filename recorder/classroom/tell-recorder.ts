import type { PageEvent } from '../../src/protocol/page.ts';
import type { SavedMoment } from '../../src/protocol/signalling.ts';
import { planEvent, planSnapshotEvents, toHere, type Clocks } from './class-log.ts';
import type { ClassMessage } from './signalling-client.ts';
import type { WholeSnapshot } from './snapshot-assembly.ts';
import type { ClassModel } from './state.ts';

/** Events are passed on together, a few times a second: a page may not send messages of any number. */
const EVERY_MS = 100;
/** A message to the recorder is refused from 16 384 characters. */
const MAX_CHARACTERS = 12_000;
const MAX_EVENTS = 100;

/** Passes on to the recorder what signalling says; the recorder drops what it has heard before. */
export class RecorderReports {
  readonly #waiting: PageEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasListened = false;

  /** How the class stands, told before the page shows it so. */
  tellSnapshot(before: ClassModel, snapshot: WholeSnapshot): void {
    const nowMs = Date.now();
    const isFirst = !this.#hasListened;
    this.#hasListened = true;
    for (const event of planSnapshotEvents(before, snapshot, { nowMs, isFirst })) this.#add(event);
    // by age, so that the server's clock need not be ours
    const clocks = { serverNowMs: snapshot.nowMs, nowMs };
    for (const moment of snapshot.highlights) passOn(moment, toHere(moment.atMs, clocks));
    if (snapshot.endedAtMs !== null) this.#end();
  }

  tellMessage(model: ClassModel, message: ClassMessage): void {
    const nowMs = Date.now();
    const clocks: Clocks = { nowMs, serverNowMs: nowMs + model.clockOffsetMs };
    const event = planEvent(message, clocks);
    if (event !== undefined) this.#add(event);
    if (message.type === 'highlight') passOn(message.moment, nowMs);
    if (message.type === 'class-end') this.#end();
  }

  /** Something else worth a line in the recording's log. */
  report(type: string, fields: Record<string, unknown>): void {
    this.#add({ ...fields, type, atMs: Date.now() });
  }

  #add(event: PageEvent): void {
    this.#waiting.push(event);
    this.#timer ??= setTimeout(() => this.#flush(), EVERY_MS);
  }

  /** What came before it is not to be lost. */
  #end(): void {
    this.#flush();
    window.chalkreel?.end('class-end');
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const events of inPieces(this.#waiting.splice(0))) {
      const [first, ...more] = events;
      if (first !== undefined) window.chalkreel?.event(first, ...more);
    }
  }
}

function passOn(moment: SavedMoment, atMs: number): void {
  window.chalkreel?.highlight({ ...moment, atMs });
}

function inPieces(events: readonly PageEvent[]): readonly PageEvent[][] {
  const pieces: PageEvent[][] = [[]];
  let characters = 0;
  for (const event of events) {
    const { length } = JSON.stringify(event);
    if (characters + length > MAX_CHARACTERS || (pieces.at(-1)?.length ?? 0) >= MAX_EVENTS) {
      pieces.push([]);
      characters = 0;
    }
    characters += length;
    pieces.at(-1)?.push(event);
  }
  return pieces;
}
