import type { SpanKind } from '../src/model/spans.ts';
import type { MediaMessage } from '../src/protocol/recorder-link.ts';
import type { Capture, RecordingOrigin } from './capture.ts';

export type CaptureHandlers = {
  readonly onMedia: (message: MediaMessage) => void;
  readonly onSpan: (kind: SpanKind, startMs: number, endMs: number | null) => void;
};

/**
 * Lets a capture begin, and holds what it says until `release`, which hands it on in order and everything after it as it comes: where
 * its media belongs is known only when the recording's origin is settled.
 */
export function holdBack(capture: Capture): {
  readonly origin: Promise<RecordingOrigin>;
  release(handlers: CaptureHandlers): void;
} {
  const held: ((handlers: CaptureHandlers) => void)[] = [];
  let released: CaptureHandlers | undefined;
  const handle = (event: (handlers: CaptureHandlers) => void): void => {
    if (released === undefined) held.push(event);
    else event(released);
  };
  capture.on('media', (message) => {
    handle(({ onMedia }) => onMedia(message));
  });
  capture.on('span', (...span) => {
    handle(({ onSpan }) => onSpan(...span));
  });
  const origin = new Promise<RecordingOrigin>((resolve) => {
    capture.once('origin', resolve);
  });
  capture.start();
  return {
    origin,
    release: (handlers) => {
      for (const event of held.splice(0)) event(handlers);
      released = handlers;
    },
  };
}
