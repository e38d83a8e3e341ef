import { barcodePage } from '../support/barcode-page.ts';

/** Cheap enough for three Chromes on two cores; barcodes are read without fail. */
export const CLASS_SETTINGS = { width: 640, height: 360, fps: 15, videoBitrate: 600_000 } as const;
/** Length of a picture of the class, ms. */
export const FRAME_MS = 1000 / CLASS_SETTINGS.fps;

/** The class that is recorded: barcodes, and each second a flash and a beep. */
export function classPage(): string {
  return barcodePage({ fps: CLASS_SETTINGS.fps, flashAndBeep: true, title: 'Class' });
}
