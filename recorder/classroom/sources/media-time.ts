/** Follows an element's position, so that "when did it last move" is known without events. */
export function watchTime(element: HTMLMediaElement): { readonly lastMovedMs: () => number } {
  let lastTime = 0;
  let lastMovedMs = Number.NEGATIVE_INFINITY;
  return {
    lastMovedMs: () => {
      // what has ended is where it should be
      if (element.currentTime !== lastTime || element.ended) {
        lastTime = element.currentTime;
        lastMovedMs = performance.now();
      }
      return lastMovedMs;
    },
  };
}
