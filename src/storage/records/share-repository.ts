import type { Link } from '../../access/links.ts';

/** A signed link that can be taken back: its record. The token is made from it, and is never stored. */
export type Share = {
  readonly id: string;
  readonly kind: Link['kind'];
  /** Of the recording or highlight. */
  readonly targetId: string;
  readonly rights: Link['rights'];
  readonly viewerId: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
};

/** Whose shares: those of one recording or one highlight. */
export type ShareTarget = Pick<Share, 'kind' | 'targetId'>;

/**
 * The records of links that were given out: fast in Redis, lasting beside what they are for (`<target>/shares/<id>.json`). A share without
 * a record is revoked, so nothing has to be remembered about those that were.
 */
export type ShareRepository = {
  /** In the store before it resolves. Throws `recording-not-found` or `highlight-not-found`. */
  create(share: Share): Promise<void>;
  isLive(shareId: string): Promise<boolean>;
  /** Newest first; those that have expired until they are forgotten. */
  list(target: ShareTarget): Promise<readonly Share[]>;
  /** Takes it back: false when there is no such share, or none any more. */
  revoke(shareId: string): Promise<boolean>;
  /** Takes back all of a target; how many there were. */
  revokeAll(target: ShareTarget): Promise<number>;
  /** Forgets shares that expired before a time, at most `limit`; how many. */
  removeExpired(beforeMs: number, limit: number): Promise<number>;
  /** Brings a record of the store back into a Redis that has lost it. May be repeated. */
  restore(share: Share): Promise<void>;
};
