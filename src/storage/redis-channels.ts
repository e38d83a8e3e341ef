import type { Redis } from 'ioredis';
import type { Closable } from '../lifecycle.ts';

/** A message lost while Redis was away is made up for within this time. */
const REPEAT_MS = 1000;

type Listened = { readonly listeners: Set<() => void>; readonly subscribed: Promise<unknown> };

/** Everybody in this process who listens to channels of Redis, over one connection that is opened by the first of them. */
export class RedisChannels implements Closable {
  readonly #openSubscriber: () => Redis;
  readonly #channels = new Map<string, Listened>();
  #subscriber: Redis | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(openSubscriber: () => Redis) {
    this.#openSubscriber = openSubscriber;
  }

  /** Calls back after each message, and each second without one. Resolves when nothing said from now on is missed. */
  async subscribe(channel: string, onMessage: () => void): Promise<Closable> {
    const listened = this.#channels.get(channel) ?? {
      listeners: new Set(),
      subscribed: this.#open().subscribe(channel),
    };
    this.#channels.set(channel, listened);
    // A function of its own: one caller may listen twice.
    const listener = (): void => {
      onMessage();
    };
    listened.listeners.add(listener);
    const close = async (): Promise<void> => {
      if (listened.listeners.delete(listener)) await this.#leave(channel, listened);
    };
    try {
      await listened.subscribed;
    } catch (error) {
      await close();
      throw error;
    }
    return { close };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#channels.clear();
    this.#subscriber?.disconnect();
    this.#subscriber = undefined;
    return Promise.resolve();
  }

  #open(): Redis {
    if (this.#subscriber !== undefined) return this.#subscriber;
    this.#subscriber = this.#openSubscriber();
    this.#subscriber.on('message', (channel: string) => {
      this.#tell(channel);
    });
    this.#timer = setInterval(() => {
      for (const channel of this.#channels.keys()) this.#tell(channel);
    }, REPEAT_MS);
    this.#timer.unref();
    return this.#subscriber;
  }

  #tell(channel: string): void {
    for (const listener of [...(this.#channels.get(channel)?.listeners ?? [])]) listener();
  }

  async #leave(channel: string, listened: Listened): Promise<void> {
    if (listened.listeners.size > 0 || this.#channels.get(channel) !== listened) return;
    this.#channels.delete(channel);
    await this.#subscriber?.unsubscribe(channel).catch(() => undefined);
  }
}
