/** One row of a bench: samples of one thing in one unit, and the target, if there is one. */
export type Measurement = {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly number[];
  /** The target: the median must be at most, at least or exactly this. */
  readonly bound?: Bound;
};
export type Bound = { readonly is: '<=' | '>=' | '=='; readonly value: number };

/** A bench's or chaos scenario's JSON line. */
export type ResultLine = {
  readonly bench: string;
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly n: number;
  readonly bound?: string;
  readonly holds?: boolean;
};

/** Sums a measurement up; the bound is judged on the median. Throws where there is no sample. */
export function summarize(bench: string, measurement: Measurement): ResultLine {
  const { name, unit, bound } = measurement;
  const sorted = [...measurement.samples].sort((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined)
    throw new Error(`${name}: expected a sample, got none`);
  const median = middle(sorted);
  const line = { bench, name, unit, median, min, max, n: sorted.length };
  if (bound === undefined) return line;
  return { ...line, bound: `${bound.is} ${bound.value}`, holds: holds(median, bound) };
}

function middle(sorted: readonly number[]): number {
  const half = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return (low + high) / 2;
}

function holds(value: number, { is, value: target }: Bound): boolean {
  if (is === '==') return value === target;
  return is === '<=' ? value <= target : value >= target;
}

/** The lines as a table, in three significant digits. */
export function formatTable(lines: readonly ResultLine[]): string {
  const rows = lines.map((l) => [
    l.name,
    ...[l.median, l.min, l.max].map((value) => `${Number(value.toPrecision(3))}`),
    l.unit,
    `${l.n}`,
    l.bound ?? '',
    l.holds === undefined ? '' : l.holds ? 'yes' : 'NO',
  ]);
  const table = [['name', 'median', 'min', 'max', 'unit', 'n', 'bound', 'holds'], ...rows];
  const widths =
    table[0]?.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0))) ?? [];
  return table
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
