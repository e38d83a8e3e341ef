import { BriefMemory } from '../brief-memory.ts';
import type { Clock } from '../clock.ts';
import { ChalkreelError } from '../errors.ts';
import { readLink, type Link } from './links.ts';

/** How long an answer about a share record is believed: a revocation counts in every process within this time. */
const RECORD_TTL_MS = 500;

/** Tokens whose signature was found good: a player brings the same one with each request. About 500 bytes each. */
const MAX_READ = 10_000;

/** The one place where tokens become links: signature, expiry, revocation. */
export class LinkGate {
  readonly #secrets: readonly string[];
  readonly #clock: Clock;
  readonly #liveShares: BriefMemory<boolean>;
  /** Links by token; oldest first. What expires and what is revoked is looked at each time. */
  readonly #read = new Map<string, Link>();

  constructor(options: {
    /** Newest first; all are accepted. */
    readonly secrets: readonly string[];
    readonly clock: Clock;
    /** Where it is known which shares there are: one without a record was revoked. */
    readonly shares: { isLive(shareId: string): Promise<boolean> };
  }) {
    const { secrets, clock, shares } = options;
    this.#secrets = secrets;
    this.#clock = clock;
    this.#liveShares = new BriefMemory({
      ask: (shareId) => shares.isLive(shareId),
      ttlMs: RECORD_TTL_MS,
      monotonicMs: () => clock.monotonicMs(),
    });
  }

  /** The link of a token. Throws `link-invalid`, `link-expired`, `link-revoked`; a dependency's error when records cannot be read. */
  async open(token: string): Promise<Link> {
    const link = this.#read.get(token) ?? this.#readNew(token);
    if (link.expiresAtMs <= this.#clock.nowMs()) {
      throw refused('link-expired', 'This link has expired');
    }
    if (link.shareId !== null && !(await this.#liveShares.get(link.shareId))) {
      throw refused('link-revoked', 'This link has been withdrawn');
    }
    return link;
  }

  #readNew(token: string): Link {
    const reading = readLink(token, this.#secrets, this.#clock.nowMs());
    if (reading.state === 'wrong') throw refused('link-invalid', 'This link is not valid');
    this.#read.set(token, reading.link);
    if (this.#read.size > MAX_READ) {
      for (const oldest of this.#read.keys()) {
        this.#read.delete(oldest);
        break;
      }
    }
    return reading.link;
  }

  /** This process has heard that a share was revoked: here it counts at once. */
  forget(shareId: string): void {
    this.#liveShares.forget(shareId);
  }
}

function refused(code: string, message: string): ChalkreelError {
  return new ChalkreelError(code, message, { fault: 'input' });
}
