import type { StreamSource } from '../../../src/model/recording.ts';
import { MAX_SOURCES, streamName, type SourceChanges } from '../../../src/protocol/classroom.ts';

/**
 * The streams of a class, told by two: the recording (as it was created, and PATCHed since) and signalling. Signalling is laid over
 * the recording's: of a stream that both name, what signalling says counts, and what it took away stays away, until it says
 * otherwise. So a page that is opened anew, by another worker, comes to the same streams.
 */
export class SourceList {
  #recorded: readonly StreamSource[];
  /** By name: as signalling wants it, or undefined where signalling took it away. */
  #signalled = new Map<string, StreamSource | undefined>();
  #refused = 0;

  constructor(recorded: readonly StreamSource[]) {
    this.#recorded = recorded;
  }

  /** The streams now, at most MAX_SOURCES: the recording's in their places, then those that signalling added. */
  get sources(): readonly StreamSource[] {
    const all = new Map(this.#recorded.map((source) => [streamName(source), source]));
    for (const [name, source] of this.#signalled) {
      if (source === undefined) all.delete(name);
      else all.set(name, source);
    }
    return [...all.values()].slice(0, MAX_SOURCES);
  }

  /** Changes by signalling that were not taken, since they would have made too many. */
  get refused(): number {
    return this.#refused;
  }

  /** The recording's streams have changed: all of them, as they are now. */
  setRecorded(recorded: readonly StreamSource[]): void {
    this.#recorded = recorded;
  }

  /** Signalling adds, changes and takes away. */
  change({ set, remove }: SourceChanges): void {
    for (const name of remove.map(streamName)) this.#note(name, undefined);
    for (const source of set) this.#note(streamName(source), source);
  }

  /** All that signalling has to say, as its snapshot has it: what it said before is forgotten. */
  replace(changes: SourceChanges): void {
    this.#signalled = new Map();
    this.change(changes);
  }

  /** Of a server that goes on naming streams for ever, no more is remembered than a class may have, twice. */
  #note(name: string, source: StreamSource | undefined): void {
    const isRecorded = this.#recorded.some((one) => streamName(one) === name);
    if (source === undefined && !isRecorded) {
      this.#signalled.delete(name);
      return;
    }
    const isMore = source !== undefined && !this.sources.some((one) => streamName(one) === name);
    const isFull = !this.#signalled.has(name) && this.#signalled.size >= 2 * MAX_SOURCES;
    if (isFull || (isMore && this.sources.length >= MAX_SOURCES)) this.#refused += 1;
    else this.#signalled.set(name, source);
  }
}
