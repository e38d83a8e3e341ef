import type { Redis } from 'ioredis';
import type { Closable } from '../lifecycle.ts';
import type { Recording } from '../model/recording.ts';
import { RedisChannels } from './redis-channels.ts';
import { redisKeys } from './redis-keys.ts';

type Versioned = { readonly version: number; readonly value: Recording };

type Subscription = {
  readonly id: string;
  readonly onChanged: (recording: Recording) => void;
  seenVersion: number;
  isReading: boolean;
  isDirty: boolean;
  isClosed: boolean;
};

/** Everybody in this process who follows a recording. */
export class RecordingSubscriptions implements Closable {
  readonly #channels: RedisChannels;
  readonly #find: (id: string) => Promise<Versioned | undefined>;
  readonly #subscriptions = new Set<Subscription>();

  constructor(options: {
    readonly openSubscriber: () => Redis;
    readonly find: (id: string) => Promise<Versioned | undefined>;
  }) {
    this.#channels = new RedisChannels(options.openSubscriber);
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
    const listening = await this.#channels.subscribe(redisKeys.recordingChanged(id), () => {
      // Redis being away is seen and logged by its connection; the next message or second tries again.
      this.#tell(subscription).catch(() => undefined);
    });
    this.#subscriptions.add(subscription);
    const close = async (): Promise<void> => {
      subscription.isClosed = true;
      this.#subscriptions.delete(subscription);
      await listening.close();
    };
    try {
      await this.#tell(subscription);
    } catch (error) {
      await close();
      throw error;
    }
    return { close };
  }

  async close(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.isClosed = true;
    this.#subscriptions.clear();
    await this.#channels.close();
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
}
