import type { Log } from '../../src/log.ts';
import type { ClassRecordingState } from '../../src/protocol/signalling.ts';
import type { Page } from '../browser.ts';

/** Has the built-in classroom page tell its class that it is being recorded, or no longer. Trouble with that is no trouble of the recording. */
export function announceRecording(page: Page, state: ClassRecordingState, log: Log): void {
  page.evaluate(`window.chalkreelRecording?.('${state}')`).catch((error: unknown) => {
    log.debug({ event: 'recording-not-announced', state, err: error });
  });
}
