import type { StreamSource } from '../../../src/model/recording.ts';
import { openFile } from './file.ts';
import { openHls } from './hls.ts';
import type { Playback, PlaybackOptions } from './playback.ts';
import { openWhep } from './whep.ts';

/** Opens a source by its kind. Another kind is one file more and one line here. */
export function openPlayback(source: StreamSource, options: PlaybackOptions): Playback {
  switch (source.kind) {
    case 'whep':
      return openWhep(source, options);
    case 'hls':
      return openHls(source, options);
    case 'file':
      return openFile(source, options);
  }
}
