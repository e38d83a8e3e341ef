import type { Redis } from 'ioredis';
import { deferred } from '../../src/lifecycle.ts';
import type { ObjectInfo, ObjectStore } from '../../src/storage/objects/object-store.ts';

/** How an actor ended. `crashed`: it took no further step, as a process that is killed. */
export type Ending = { readonly error: unknown } | 'done' | 'crashed';

type Waiting = { readonly actor: number; readonly go: () => void };

/** More steps than most runs take: in some nobody crashes. */
const MAX_STEPS_TO_CRASH = 80;
/** The fastest actor of a run has its turn at most so many times as often as the slowest. */
const MAX_HASTE = 32;

/** One step to the outside world: waits for its turn. */
export type Step = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Runs actors at once whose steps to the outside world are taken one at a time, in an order drawn from a seed: equal seeds give equal orders.
 * Some are hastier than others, by the seed as well, and one may crash between two steps. All waiting of actors must be for steps.
 */
export async function interleave(
  actors: readonly ((step: Step) => Promise<void>)[],
  options: { readonly seed: number; readonly mayCrash: boolean },
): Promise<readonly Ending[]> {
  const random = randomFrom(options.seed);
  const waiting: Waiting[] = [];
  const crashed = actors.map(() => deferred<'crashed'>());
  const hastes = actors.map(() => MAX_HASTE ** random());
  /** The step before which somebody dies; most often it is beyond the end. */
  let stepsToCrash = options.mayCrash ? Math.floor(random() * MAX_STEPS_TO_CRASH) : Infinity;
  let isStepping = false;
  const next = (): void => {
    if (isStepping || waiting.length === 0) return;
    const [chosen] = waiting.splice(choose(waiting, hastes, random()), 1);
    if (stepsToCrash-- === 0) {
      crashed[chosen?.actor ?? 0]?.resolve('crashed');
      setImmediate(next);
    } else {
      isStepping = true;
      chosen?.go();
    }
  };
  const stepOf =
    (actor: number): Step =>
    async (work) => {
      const turn = deferred();
      waiting.push({ actor, go: turn.resolve });
      // In the next turn of the event loop all who can go on have asked for their next step.
      setImmediate(next);
      await turn.promise;
      try {
        return await work();
      } finally {
        isStepping = false;
        setImmediate(next);
      }
    };
  return Promise.all(
    actors.map((actor, i) => {
      const ended = actor(stepOf(i)).then(
        (): Ending => 'done',
        (error: unknown): Ending => ({ error }),
      );
      return Promise.race([ended, crashed[i]?.promise ?? ended]);
    }),
  );
}

/** Whose turn it is: the hasty have theirs more often. */
function choose(waiting: readonly Waiting[], hastes: readonly number[], random: number): number {
  const shares = waiting.map(({ actor }) => hastes[actor] ?? 1);
  let left = random * shares.reduce((sum, share) => sum + share, 0);
  return Math.max(
    0,
    shares.findIndex((share) => (left -= share) < 0),
  );
}

/** A connection whose commands, scripts and transactions are steps. */
export function stepwiseRedis(redis: Redis, step: Step): Redis {
  return new Proxy(redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const call = value as (...args: unknown[]) => unknown;
      if (name !== 'multi') {
        return (...args: unknown[]) => step(async () => call.apply(target, args));
      }
      return () => {
        const transaction = target.multi();
        const exec = transaction.exec.bind(transaction);
        transaction.exec = () => step(exec);
        return transaction;
      };
    },
  });
}

/** A store whose operations are steps; a listing is one. */
export function stepwiseStore(store: ObjectStore, step: Step): ObjectStore {
  return {
    putOnce: (key, body) => step(() => store.putOnce(key, body)),
    put: (key, body) => step(() => store.put(key, body)),
    find: (key) => step(() => store.find(key)),
    read: (key) => step(() => store.read(key)),
    openStream: (key, range) => step(() => store.openStream(key, range)),
    delete: (key) => step(() => store.delete(key)),
    async *list(prefix, options): AsyncIterable<ObjectInfo> {
      yield* await step(async () => {
        const found: ObjectInfo[] = [];
        for await (const object of store.list(prefix, options)) found.push(object);
        return found;
      });
    },
    listFolders: (folder) => store.listFolders(folder),
  };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
