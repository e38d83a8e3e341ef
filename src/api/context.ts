import type { Request } from 'express';
import type { LinkGate } from '../access/link-gate.ts';
import type { BriefMemory } from '../brief-memory.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { NightTimes } from '../model/night.ts';
import type { BatchBoard } from '../queue/batch-board.ts';
import type { NightSettings } from '../queue/night-schedule.ts';
import type { Services } from '../queue/open-services.ts';
import type { ReencodeProfiles } from '../queue/reencode-profiles.ts';
import type { ClipPlans } from './clip-plans.ts';
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
  /** How long recordings are kept that do not say it themselves, seconds; for ever when absent. */
  readonly retentionS?: number | undefined;
  /** What the batch re-encodes into, and when; by default into the profiles that are always there, and never by itself. */
  readonly reencoding?: ReencodeSettings | undefined;
  /** Where workers on this machine keep what they have not published; absent when there are none. */
  readonly workFolder?: string | undefined;
};

/** The batch's settings, read. */
export type ReencodeSettings = {
  readonly profiles: ReencodeProfiles;
  readonly nights: { readonly settings: NightSettings; readonly times: NightTimes | undefined };
};

/** What routes use. */
export type ApiContext = ApiServices &
  ReencodeSettings & {
    readonly board: BatchBoard;
    readonly entries: EntryCache;
    readonly playlists: PlaylistCache;
    readonly clips: ClipPlans;
    readonly links: (request: Request) => LinkContext;
    /** Whether a recording is being deleted; other processes know within half a second. */
    readonly deleted: BriefMemory<boolean>;
    /** Where tokens become links, or are refused. */
    readonly gate: LinkGate;
  };
