import fc from 'fast-check';
import { AAC_FRAMES_PER_SEGMENT } from '../../src/model/grid.ts';
import { hashSegmentCodec } from '../../src/media/mpegts/codec-hash.ts';
import { createSegmentWriter } from '../../src/media/mpegts/segment-writer.ts';
import type { SegmentEntry } from '../../src/model/segment.ts';
import type { Services } from '../../src/queue/open-services.ts';
import { objectKeys } from '../../src/storage/keys.ts';
import type { AppendResult } from '../../src/storage/index/segment-index.ts';
import { writeSyntheticSegment } from './synthetic-day.ts';

/** One thing that happens to a recording. */
export type HistoryStep =
  /** A maker publishes its next segment, or one farther on. `isKilled`: it stores the object and dies before it is listed. */
  | {
      readonly do: 'publish';
      readonly lane: number;
      readonly skip: number;
      readonly isKilled: boolean;
    }
  /** A segment that was left out turns up. */
  | { readonly do: 'publish-late'; readonly lane: number; readonly back: number }
  /** Somebody else goes on with a lane. */
  | { readonly do: 'take-over'; readonly lane: number }
  /** A maker that was followed publishes all the same. */
  | { readonly do: 'publish-stale'; readonly lane: number }
  /** All that is overdue is given up: `aheadMs` after the last number's end. */
  | { readonly do: 'settle'; readonly aheadSegments: number };

const laneOf = fc.integer({ min: 0, max: 1 });
const usually = (other: fc.Arbitrary<number>): fc.Arbitrary<number> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: other });

/** Histories of two lanes with holes, late segments, takeovers, makers that were followed or killed, and decisions. */
export const histories: fc.Arbitrary<readonly HistoryStep[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        do: fc.constant('publish' as const),
        lane: usually(fc.constant(1)),
        skip: usually(fc.integer({ min: 1, max: 3 })),
        isKilled: usually(fc.constant(1)).map((n) => n === 1),
      }),
    },
    fc.record({
      do: fc.constant('publish-late' as const),
      lane: laneOf,
      back: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({ do: fc.constant('take-over' as const), lane: laneOf }),
    fc.record({ do: fc.constant('publish-stale' as const), lane: laneOf }),
    fc.record({
      do: fc.constant('settle' as const),
      aheadSegments: fc.integer({ min: -3, max: 2 }),
    }),
  ),
  { minLength: 1, maxLength: 120 },
);

const FRAME = new Uint8Array(24).fill(0x21);
const SOUND_ONLY = writeSoundSegment();
const WITH_PICTURE = writeSyntheticSegment(0, 900_000);

/** Plays histories as workers would, into real services. */
export class HistoryPlayer {
  readonly #services: Services;
  readonly #id: string;
  readonly #settle: (lastNumber: number) => Promise<unknown>;
  readonly #epochs = [0, 0];
  #next = 0;

  constructor(options: {
    readonly services: Services;
    readonly recordingId: string;
    /** Has everything up to a number given up that is not there. */
    readonly settle: (lastNumber: number) => Promise<unknown>;
  }) {
    this.#services = options.services;
    this.#id = options.recordingId;
    this.#settle = options.settle;
  }

  get next(): number {
    return this.#next;
  }

  async play(step: HistoryStep): Promise<void> {
    if (step.do === 'settle') await this.#settle(this.#next - 1 + step.aheadSegments);
    else if (step.do === 'take-over') {
      this.#epochs[step.lane] = await this.#services.segments.openEpoch(this.#id, step.lane);
    } else if (step.do === 'publish') {
      const n = this.#next + step.skip;
      // After one of lane 1 that was killed the other brings the same number.
      if (!step.isKilled || step.lane === 0) this.#next = n + 1;
      if (step.isKilled) await this.#store(await this.#entry(n, step.lane));
      else await this.publish(n, step.lane);
    } else if (step.do === 'publish-late') {
      await this.publish(Math.max(0, this.#next - step.back), step.lane);
    } else if ((this.#epochs[step.lane] ?? 0) > 1) {
      await this.publish(this.#next, step.lane, (this.#epochs[step.lane] ?? 0) - 1);
    }
  }

  /** As the publisher does: the object, then the index; who loses deletes its object. */
  async publish(n: number, lane: number, epoch?: number): Promise<AppendResult> {
    const entry = await this.#entry(n, lane, epoch);
    await this.#store(entry);
    const result = await this.#services.segments.append(this.#id, entry);
    if (!result.appended) await this.#services.store.delete(entry.place.object);
    return result;
  }

  async #entry(n: number, lane: number, epoch?: number): Promise<SegmentEntry> {
    this.#epochs[lane] ||= await this.#services.segments.openEpoch(this.#id, lane);
    const name = { n, lane, epoch: epoch ?? this.#epochs[lane] };
    const bytes = bytesOf(name);
    return {
      ...name,
      place: { object: objectKeys.segment(this.#id, name), offset: 0, length: bytes.length },
      codecHash: hashSegmentCodec(bytes) ?? 'unreadable',
      publishedAtMs: Date.now(),
    };
  }

  async #store(entry: SegmentEntry): Promise<void> {
    const { store } = this.#services;
    const { object } = entry.place;
    if ((await store.find(object)) === undefined) await store.putOnce(object, bytesOf(entry));
  }
}

/** Each takeover changes the codec. */
function bytesOf({ epoch }: { readonly epoch: number }): Buffer {
  return epoch % 2 === 0 ? SOUND_ONLY : WITH_PICTURE;
}

function writeSoundSegment(): Buffer {
  const packets: Uint8Array[] = [];
  const writer = createSegmentWriter({
    pts90k: 900_000,
    slotTicks: undefined,
    write: (bytes) => packets.push(bytes),
  });
  for (let i = 0; i < AAC_FRAMES_PER_SEGMENT; i += 1) writer.writeAudio(FRAME);
  writer.finish();
  return Buffer.concat(packets);
}
