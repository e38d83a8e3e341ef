import { delay } from '../../../src/lifecycle.ts';
import type { Stall, Step } from './plan.ts';

/** A process that is woken up goes on within this. */
const MAX_NAP_MS = 50;

/** A process that may stand still: every step of it goes through here. */
export class StallingProcess {
  readonly #stalls: readonly Stall[];
  readonly #counts = new Map<string, number>();
  #untilMs = 0;

  constructor(stalls: readonly Stall[]) {
    this.#stalls = stalls;
  }

  /** Waits while the process stands still. */
  async pass(): Promise<void> {
    while (performance.now() < this.#untilMs)
      await delay(Math.min(MAX_NAP_MS, this.#untilMs - performance.now()));
  }

  /** Does one step; the process may stand still ahead of it and behind it. */
  async step<T>(step: Step, work: () => Promise<T>): Promise<T> {
    await this.#comeBy(step, 'before');
    const result = await work();
    await this.#comeBy(step, 'after');
    return result;
  }

  /** Nothing stands still any more. */
  wake(): void {
    this.#untilMs = 0;
  }

  async #comeBy(step: Step, when: Stall['when']): Promise<void> {
    const place = `${when} ${step}`;
    const nth = this.#counts.get(place) ?? 0;
    this.#counts.set(place, nth + 1);
    const stall = this.#stalls.find((s) => s.step === step && s.when === when && s.nth === nth);
    if (stall !== undefined) this.#untilMs = Math.max(this.#untilMs, performance.now() + stall.ms);
    await this.pass();
  }
}
