import type { Column, Runs } from './movie.ts';

const INITIAL_LENGTH = 1024;

/** A column that grows: 4 bytes a number, for tables of millions. */
export class GrowingColumn {
  #numbers = new Uint32Array(INITIAL_LENGTH);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#numbers.length) {
      const larger = new Uint32Array(2 * this.#length);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#length++] = value;
  }

  /** What has been pushed, without room to spare. */
  toColumn(): Uint32Array {
    return this.#numbers.slice(0, this.#length);
  }
}

/** Run lengths that grow. */
export class GrowingRuns {
  readonly #counts = new GrowingColumn();
  readonly #values = new GrowingColumn();
  #last = -1;
  #count = 0;

  push(value: number): void {
    if (value === this.#last) {
      this.#count++;
      return;
    }
    this.#flush();
    this.#last = value;
    this.#count = 1;
  }

  toRuns(): Runs {
    this.#flush();
    this.#count = 0;
    this.#last = -1;
    return { counts: this.#counts.toColumn(), values: this.#values.toColumn() };
  }

  #flush(): void {
    if (this.#count === 0) return;
    this.#counts.push(this.#count);
    this.#values.push(this.#last);
  }
}

/** The run lengths of a column. */
export function runsOf(column: Column): Runs {
  const runs = new GrowingRuns();
  for (const value of column) runs.push(value);
  return runs.toRuns();
}

export function sumOf(column: Column): number {
  let sum = 0;
  for (const value of column) sum += value;
  return sum;
}

/** How long all of the runs last. */
export function durationOf({ counts, values }: Runs): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += (counts[i] ?? 0) * (values[i] ?? 0);
  return sum;
}
