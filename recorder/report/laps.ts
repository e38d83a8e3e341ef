/** What each step took, ms, by its name. */
export type Laps = { readonly times: Record<string, number>; end(name: string): void };

/** Names what each step took, ms, one after the other. */
export function startLaps(): Laps {
  const times: Record<string, number> = {};
  let fromMs = performance.now();
  return {
    times,
    end: (name) => {
      const nowMs = performance.now();
      times[name] = Math.round(nowMs - fromMs);
      fromMs = nowMs;
    },
  };
}
