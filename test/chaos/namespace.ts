import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Resources, type Closable } from '../../src/lifecycle.ts';
import { isAlive } from './chromes.ts';

const run = promisify(execFile);
const PREFIX = 'chalkreel-';
const NAMESPACES = '/run/netns';

/** A network of its own for some process, joined to ours by one cable that can be pulled. */
export type Namespace = Closable & {
  /** Of ours, reachable from both sides as long as the cable is in; from ours always. */
  readonly address: string;
  /** Ahead of a command line: runs it in there. */
  readonly prefix: readonly string[];
  /** From then on packets vanish, in both directions. */
  readonly cut: () => Promise<void>;
  readonly heal: () => Promise<void>;
};

/** Makes the network; needs root. Closing removes it, also what a killed run of this process's kind has left. */
export async function openNamespace(): Promise<Namespace> {
  await removeStale();
  const resources = new Resources();
  const name = `${PREFIX}${process.pid}`;
  // A cable's name has at most 15 characters.
  const cable = `ckr${process.pid}`;
  const third = process.pid % 250;
  const [address, near, far] = [1, 5, 6].map((last) => `10.213.${third}.${last}`) as [
    string,
    string,
    string,
  ];
  try {
    await ip('netns', 'add', name);
    resources.defer(() => ip('netns', 'delete', name));
    await ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    resources.defer(() => ip('link', 'delete', cable));
    await ip('address', 'add', `${near}/30`, 'dev', cable);
    await ip('link', 'set', cable, 'up');
    // On loopback, so that it stays ours when the cable is out.
    await ip('address', 'add', `${address}/32`, 'dev', 'lo');
    resources.defer(() => ip('address', 'delete', `${address}/32`, 'dev', 'lo'));
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    await ip('-n', name, 'address', 'add', `${far}/30`, 'dev', 'eth0');
    await ip('-n', name, 'link', 'set', 'eth0', 'up');
    await ip('-n', name, 'route', 'add', 'default', 'via', near);
  } catch (error) {
    await resources.close().catch(() => undefined);
    throw new Error('Expected root and network namespaces (ip netns, veth)', { cause: error });
  }
  return {
    address,
    prefix: ['nsenter', `--net=${NAMESPACES}/${name}`],
    cut: () => ip('link', 'set', cable, 'down'),
    heal: () => ip('link', 'set', cable, 'up'),
    close: () => resources.close(),
  };
}

/** Namespaces of runs that were killed: their cables go with them. */
async function removeStale(): Promise<void> {
  for (const name of await readdir(NAMESPACES).catch(() => [])) {
    const pid = Number(name.slice(PREFIX.length));
    if (!name.startsWith(PREFIX) || (await isAlive(pid))) continue;
    await ip('netns', 'delete', name).catch(() => undefined);
    await ip('address', 'delete', `10.213.${pid % 250}.1/32`, 'dev', 'lo').catch(() => undefined);
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', [...args]);
}
