import type { Request } from 'express';
import type { LinkGate } from '../access/link-gate.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Services } from '../queue/open-services.ts';
import type { EntryCache } from './entry-cache.ts';
import type { PlaylistCache } from './playlist-cache.ts';
import type { LinkContext } from './views.ts';

/** What the api is built from. */
export type ApiServices = Services & {
  readonly log: Log;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly apiKeys: readonly string[];
  readonly linkSecrets: readonly string[];
  /** Folder of the built pages (`dist/pages`). */
  readonly pagesDir: string;
};

/** What routes use. */
export type ApiContext = ApiServices & {
  readonly entries: EntryCache;
  readonly playlists: PlaylistCache;
  readonly links: (request: Request) => LinkContext;
  /** Where tokens become links, or are refused. */
  readonly gate: LinkGate;
};
