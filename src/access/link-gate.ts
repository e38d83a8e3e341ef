import type { Clock } from '../clock.ts';
import { ChalkreelError } from '../errors.ts';
import { readLink, type Link } from './links.ts';

/** How long an answer about a share record is believed: a revocation counts in every process within this time. */
const RECORD_TTL_MS = 500;
/** Share records remembered at once: about 100 bytes each. */
const MAX_REMEMBERED = 10_000;

/** Where it is known which shares have not been revoked. */
export type ShareRecords = {
  /** Whether the share is there and has not been revoked. */
  isLive(shareId: string): Promise<boolean>;
};

type Remembered = { readonly answer: Promise<boolean>; readonly untilMs: number };

/** The one place where tokens become links: signature, expiry, revocation. */
export class LinkGate {
  readonly #secrets: readonly string[];
  readonly #clock: Clock;
  readonly #shares: ShareRecords;
  /** Oldest answer first. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(options: {
    /** Newest first; all are accepted. */
    readonly secrets: readonly string[];
    readonly clock: Clock;
    readonly shares: ShareRecords;
  }) {
    this.#secrets = options.secrets;
    this.#clock = options.clock;
    this.#shares = options.shares;
  }

  /** The link of a token. Throws `link-invalid`, `link-expired`, `link-revoked`; a dependency's error when records cannot be read. */
  async open(token: string): Promise<Link> {
    const reading = readLink(token, this.#secrets, this.#clock.nowMs());
    if (reading.state === 'wrong') throw refused('link-invalid', 'This link is not valid');
    if (reading.state === 'expired') throw refused('link-expired', 'This link has expired');
    const { link } = reading;
    if (link.shareId !== null && !(await this.#isLive(link.shareId))) {
      throw refused('link-revoked', 'This link has been withdrawn');
    }
    return link;
  }

  /** Asks once for many requests of the same moment. */
  async #isLive(shareId: string): Promise<boolean> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#remembered.get(shareId);
    if (known !== undefined && known.untilMs > nowMs) return known.answer;
    const answer = this.#shares.isLive(shareId);
    this.#remembered.delete(shareId);
    this.#remembered.set(shareId, { answer, untilMs: nowMs + RECORD_TTL_MS });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MAX_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
    try {
      return await answer;
    } catch (error) {
      this.#remembered.delete(shareId);
      throw error;
    }
  }
}

function refused(code: string, message: string): ChalkreelError {
  return new ChalkreelError(code, message, { fault: 'input' });
}
