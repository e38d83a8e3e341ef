import type { SegmentEntry } from '../../model/segment.ts';

/** The head of a recording's index as its hash in Redis has it; see `segment-index-scripts.ts`. */
export type SegmentHead = {
  /** Highest number decided; −1 before the first entry. */
  readonly last: number;
  /** Highest epoch handed out, by lane. */
  readonly epochs: Readonly<Record<string, number>>;
  /** Entries that wait or came late, by number. */
  readonly aside: readonly SegmentEntry[];
  /** Journals there are, and how far they reach: positions, number, late entries. */
  readonly journals: number;
  readonly covered: number;
  readonly coveredLast: number;
  readonly coveredLate: number;
};

/** Reads the answer of HGETALL inside a script: names and values in turn. */
export function headFields(flat: readonly string[]): SegmentHead {
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(String(flat[i]), String(flat[i + 1]));
  const number = (name: string, otherwise: number): number => Number(fields.get(name) ?? otherwise);
  const named = (prefix: string): [string, string][] =>
    [...fields]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]);
  return {
    last: number('last', -1),
    epochs: Object.fromEntries(named('epoch:').map(([lane, epoch]) => [lane, Number(epoch)])),
    aside: named('aside:')
      .map(([, json]) => JSON.parse(json) as SegmentEntry)
      .sort((a, b) => a.n - b.n),
    journals: number('journals', 0),
    covered: number('covered', 0),
    coveredLast: number('coveredLast', -1),
    coveredLate: number('coveredLate', 0),
  };
}
