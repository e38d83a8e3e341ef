/**
 * Excalidraw looks for lasers in every animation frame, for ever: 60 wake-ups a second of a board on which nothing moves. Imported before
 * it, this lets loops of frames run only while something does: a frame that was asked for from within one, which was too, and so on ten
 * times, waits until then. What begins with something else (a change, a font, an image that has come) is not held up.
 */

/** Longer than a laser's trail takes to fade, which is 1 s. */
const AWAKE_MS = 1500;

const ask = globalThis.requestAnimationFrame.bind(globalThis);
const cancel = globalThis.cancelAnimationFrame.bind(globalThis);
/** By negative handles, which the browser never gives. */
const waiting = new Map<number, FrameRequestCallback>();
let lastHandle = 0;
/** So many frames, each asked for in the one before, are a loop. */
const LOOP_FRAMES = 10;
let awakeUntilMs = 0;
/** How many frames have led to the one that is running; 0 outside of frames. */
let depth = 0;

/** Something moves: loops go on for a second and a half. */
export function wakeFrames(): void {
  awakeUntilMs = performance.now() + AWAKE_MS;
  const loops = [...waiting.values()];
  waiting.clear();
  for (const loop of loops) askAt(LOOP_FRAMES, loop);
}

function askAt(frames: number, callback: FrameRequestCallback): number {
  return ask((timeMs) => {
    depth = frames;
    try {
      callback(timeMs);
    } finally {
      depth = 0;
    }
  });
}

globalThis.requestAnimationFrame = (callback) => {
  if (depth < LOOP_FRAMES || performance.now() < awakeUntilMs) return askAt(depth + 1, callback);
  lastHandle -= 1;
  waiting.set(lastHandle, callback);
  return lastHandle;
};

globalThis.cancelAnimationFrame = (handle) => {
  if (!waiting.delete(handle)) cancel(handle);
};
