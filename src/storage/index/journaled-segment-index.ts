import type { SegmentEntry } from '../../model/segment.ts';
import { isPlain } from './journal-plan.ts';
import type { JournalKeeper } from './journal-keeper.ts';
import { RedisSegmentIndex } from './redis-segment-index.ts';
import type { AppendResult, Settled, SettleOptions } from './segment-index.ts';

/**
 * The index with its journals: what is acknowledged, or shown to anybody, can be told from the store alone, so that it is the same after
 * Redis was lost. Usually that costs nothing but a journal every 64 segments, since most can be told from the objects' names.
 */
export class JournaledSegmentIndex extends RedisSegmentIndex {
  readonly #journals: JournalKeeper;

  constructor(
    options: ConstructorParameters<typeof RedisSegmentIndex>[0] & {
      readonly journals: JournalKeeper;
    },
  ) {
    super(options);
    this.#journals = options.journals;
  }

  override async append(...args: Parameters<RedisSegmentIndex['append']>): Promise<AppendResult> {
    const result = await super.append(...args);
    if (result.appended) await this.#journals.cover(args[0]);
    return result;
  }

  override async settle(recordingId: string, options: SettleOptions): Promise<Settled> {
    const settled = await super.settle(recordingId, options);
    if (settled.last >= 0) await this.#journals.cover(recordingId);
    return settled;
  }

  override async read(recordingId: string, from = 0): Promise<readonly SegmentEntry[]> {
    const isFirst = from === 0;
    const entries = await super.read(recordingId, isFirst ? 0 : from - 1);
    if (!isAllPlain(entries, isFirst)) await this.#journals.cover(recordingId);
    return isFirst ? entries : entries.slice(1);
  }

  override async readNumbers(
    recordingId: string,
    first: number,
    last: number,
  ): Promise<{ readonly decided: number; readonly entries: readonly SegmentEntry[] }> {
    const answer = await super.readNumbers(recordingId, first, last);
    if (answer.decided >= 0) await this.#journals.cover(recordingId);
    return answer;
  }
}

function isAllPlain(entries: readonly SegmentEntry[], isFirst: boolean): boolean {
  if (entries.length === 0) return true;
  if (isFirst) return false;
  return entries.every((entry, i) => i === 0 || isPlain(entries[i - 1], entry));
}
