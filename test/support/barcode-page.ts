import { BARCODE_COLUMNS, BARCODE_ROWS, encodeBarcode } from './barcode.ts';

export type BarcodePageOptions = {
  /** Frames drawn a second, at most. Default: as often as the browser draws. */
  readonly fps?: number;
  /** Draws one frame and no more. */
  readonly still?: boolean;
  /** White below the bars for 100 ms, with a 1 kHz beep, from each full second of the clock on. */
  readonly flashAndBeep?: boolean;
  /** A tone that sounds all the time, Hz. */
  readonly toneHz?: number;
  readonly title?: string;
};

/** Length of flash and beep, ms: three frames at 30 fps, so that none is missed. */
export const FLASH_MS = 100;
export const BEEP_HZ = 1000;

/** A page that says in every frame which one it is and when it was drawn (`readBarcodes` reads it back). */
export function barcodePage(options: BarcodePageOptions = {}): string {
  const settings = JSON.stringify({
    ...options,
    columns: BARCODE_COLUMNS,
    rows: BARCODE_ROWS,
    flashMs: FLASH_MS,
    beepHz: BEEP_HZ,
  });
  return `<!doctype html>
<meta charset="utf-8">
<title>${options.title ?? 'Barcode'}</title>
<style>
  html, body { margin: 0; height: 100%; overflow: hidden; background: #000 }
  canvas { display: block; width: 100vw; height: 100vh }
</style>
<canvas></canvas>
<script>
// Some TypeScript runners wrap functions in this helper.
const __name = (target) => target;
const encodeBarcode = ${encodeBarcode.toString()};
const settings = ${settings};
${PAGE_SCRIPT}
</script>`;
}

/** Plain browser JavaScript. Lengths follow the window, so that a cell is a 32nd of the width and an 18th of the height. */
const PAGE_SCRIPT = `
const canvas = document.querySelector('canvas');
const context = canvas.getContext('2d', { alpha: false });
const clock = () => performance.timeOrigin + performance.now();
let frameNumber = 0;
let lastSlot = -1;

function fit() {
  canvas.width = innerWidth;
  canvas.height = innerHeight;
}

function drawBars(content) {
  const width = canvas.width / settings.columns;
  const height = canvas.height / 6 / settings.rows;
  encodeBarcode(content).forEach((bit, i) => {
    const x = i % settings.columns;
    const y = Math.floor(i / settings.columns);
    context.fillStyle = bit === 1 ? '#fff' : '#000';
    const left = Math.round(x * width);
    const top = Math.round(y * height);
    context.fillRect(left, top, Math.round((x + 1) * width) - left, Math.round((y + 1) * height) - top);
  });
}

function drawBody({ frameNumber, clockMs }, flashing) {
  const top = Math.round(canvas.height / 6);
  const size = canvas.height / 12;
  context.fillStyle = flashing ? '#fff' : '#000';
  context.fillRect(0, top, canvas.width, canvas.height - top);
  context.fillStyle = flashing ? '#000' : '#888';
  context.font = size + 'px monospace';
  context.fillText('frame ' + frameNumber, size, top + 2 * size);
  context.fillText(new Date(clockMs).toISOString().slice(11, 23), size, top + 4 * size);
  // Something that moves, so that a stuck picture is seen at a glance.
  context.fillRect((frameNumber * 8) % canvas.width, canvas.height - size, size, size / 2);
}

function draw() {
  const nowMs = clock();
  const slot = settings.fps === undefined ? -2 : Math.floor((nowMs * settings.fps) / 1000);
  if (slot !== lastSlot) {
    lastSlot = settings.fps === undefined ? -1 : slot;
    const content = { frameNumber: frameNumber % 2 ** 24, clockMs: Math.round(nowMs) };
    drawBody(content, settings.flashAndBeep === true && nowMs % 1000 < settings.flashMs);
    drawBars(content);
    window.lastDrawn = content;
    frameNumber += 1;
  }
  if (settings.still !== true) requestAnimationFrame(draw);
}

function sound(audio, hz, fromS, toS) {
  const oscillator = new OscillatorNode(audio, { frequency: hz });
  oscillator.connect(new GainNode(audio, { gain: 0.5 })).connect(audio.destination);
  oscillator.start(fromS);
  if (toS !== undefined) oscillator.stop(toS);
}

/** The second of the audio clock whose sample is heard at a time of the page's wall clock. */
function heardAt(audio, wallMs) {
  const { contextTime, performanceTime } = audio.getOutputTimestamp();
  return contextTime + (wallMs - performance.timeOrigin - performanceTime) / 1000;
}

function beepEachSecond(audio) {
  let nextMs = Math.ceil(clock() / 1000) * 1000 + 1000;
  setInterval(() => {
    while (nextMs < clock() + 1500) {
      const fromS = heardAt(audio, nextMs);
      if (fromS > audio.currentTime) sound(audio, settings.beepHz, fromS, fromS + settings.flashMs / 1000);
      nextMs += 1000;
    }
  }, 250);
}

addEventListener('resize', fit);
fit();
requestAnimationFrame(draw);
if (settings.flashAndBeep === true || settings.toneHz !== undefined) {
  const audio = new AudioContext();
  if (settings.toneHz !== undefined) sound(audio, settings.toneHz, 0);
  if (settings.flashAndBeep === true) beepEachSecond(audio);
}
`;
