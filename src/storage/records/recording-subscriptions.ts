import type { Redis } from 'ioredis';
import type { Closable } from '../../lifecycle.ts';
import type { Recording } from '../../model/recording.ts';
import { redisKeys } from '../redis-keys.ts';

/** A message lost while Redis was away is made up for within this time. */
const POLL_MS = 1000;

type Versioned = { readonly version: number; readonly value: Recording };

type Subscription = {
  readonly id: string;
  readonly onChanged: (recording: Recording) => void;
  seenVersion: number;
  isReading: boolean;
  isDirty: boolean;
  isClosed: boolean;
};

/** Everybody in this process who follows a recording, over one connection that is opened by the first of them. */
export class RecordingSubscriptions implements Closable {
  readonly #openSubscriber: () => Redis;
  readonly #find: (id: string) => Promise<Versioned | undefined>;
  readonly #subscriptions = new Set<Subscription>();
  #subscriber: Redis | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly openSubscriber: () => Redis;
    readonly find: (id: string) => Promise<Versioned | undefined>;
  }) {
    this.#openSubscriber = options.openSubscriber;
    this.#find = options.find;
  }

  /**
   * Calls back with the present record first, so that no change between the caller's reading and subscribing is
   * missed, then after each change. Several changes at once may be told as one: the last.
   */
  async subscribe(id: string, onChanged: (recording: Recording) => void): Promise<Closable> {
    const subscription: Subscription = {
      id,
      onChanged,
      seenVersion: 0,
      isReading: false,
      isDirty: false,
      isClosed: false,
    };
    this.#subscriptions.add(subscription);
    await this.#open().subscribe(redisKeys.recordingChanged(id));
    await this.#tell(subscription);
    return { close: () => this.#unsubscribe(subscription) };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const subscription of this.#subscriptions) subscription.isClosed = true;
    this.#subscriptions.clear();
    this.#subscriber?.disconnect();
    this.#subscriber = undefined;
    return Promise.resolve();
  }

  #open(): Redis {
    if (this.#subscriber !== undefined) return this.#subscriber;
    this.#subscriber = this.#openSubscriber();
    this.#subscriber.on('message', (channel: string) => {
      this.#tellAll((id) => redisKeys.recordingChanged(id) === channel);
    });
    this.#timer = setInterval(() => {
      this.#tellAll(() => true);
    }, POLL_MS);
    this.#timer.unref();
    return this.#subscriber;
  }

  #tellAll(isMeant: (id: string) => boolean): void {
    for (const subscription of this.#subscriptions) {
      // Redis being away is seen and logged by its connection; the next poll tries again.
      if (isMeant(subscription.id)) this.#tell(subscription).catch(() => undefined);
    }
  }

  /** Reads one at a time, so that records are told in order. */
  async #tell(subscription: Subscription): Promise<void> {
    subscription.isDirty = true;
    if (subscription.isReading) return;
    subscription.isReading = true;
    try {
      while (subscription.isDirty) {
        subscription.isDirty = false;
        const found = await this.#find(subscription.id);
        if (found === undefined || found.version === subscription.seenVersion) continue;
        if (subscription.isClosed) return;
        subscription.seenVersion = found.version;
        subscription.onChanged(found.value);
      }
    } finally {
      subscription.isReading = false;
    }
  }

  async #unsubscribe(subscription: Subscription): Promise<void> {
    if (subscription.isClosed) return;
    subscription.isClosed = true;
    this.#subscriptions.delete(subscription);
    const { id } = subscription;
    if ([...this.#subscriptions].some((other) => other.id === id)) return;
    await this.#subscriber?.unsubscribe(redisKeys.recordingChanged(id)).catch(() => undefined);
  }
}
