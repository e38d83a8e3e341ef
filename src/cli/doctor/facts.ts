import { execFile } from 'node:child_process';
import { access, constants, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Config } from '../../config.ts';
import { makeFolder } from '../../folders.ts';
import { RECORDER_PAGE } from '../../pages-dir.ts';
import { findProgram } from '../../programs.ts';

export type FoundProgram = { readonly path: string; readonly version: string };

/** What this machine has, as it was found; nothing is judged here. */
export type Facts = {
  readonly nodeVersion: string;
  readonly chromium: FoundProgram | undefined;
  readonly ffmpeg: (FoundProgram & { readonly encoders: readonly string[] }) | undefined;
  readonly ffprobe: FoundProgram | undefined;
  readonly redis: FoundProgram | undefined;
  /** Set when Redis is another machine's business. */
  readonly redisUrl: string | undefined;
  /** Font families that have Chinese and emoji; undefined without fontconfig. */
  readonly fonts:
    { readonly cjk: readonly string[]; readonly emoji: readonly string[] } | undefined;
  readonly sandbox: {
    readonly isRoot: boolean;
    readonly hasUserNamespaces: boolean;
    readonly hasSetuidHelper: boolean;
  };
  readonly port: {
    readonly host: string;
    readonly port: number;
    readonly fault: string | undefined;
  };
  readonly dataDir: {
    readonly path: string;
    readonly fault: string | undefined;
    readonly freeBytes: number;
  };
  /** This machine's wall clock, Unix ms, and whether something says that it is kept right (undefined: nobody knows). */
  readonly clock: { readonly unixMs: number; readonly isSynchronized: boolean | undefined };
  /** Size of /dev/shm; undefined where there is none. */
  readonly sharedMemoryBytes: number | undefined;
  readonly hasPages: boolean;
};

const PROGRAM_DEADLINE_MS = 10_000;
const SETUID_BITS = 0o4000;
const execute = promisify(execFile);

/** Looks at this machine. Starts programs only to ask their version; makes the data folder if it is not there. */
export async function gatherFacts(config: Config): Promise<Facts> {
  const chromiums =
    config.chromium === undefined ? ['chromium', 'google-chrome'] : [config.chromium];
  return {
    nodeVersion: process.versions.node,
    chromium: await findVersion(chromiums, '--version'),
    ffmpeg: await findFfmpeg(),
    ffprobe: await findVersion(['ffprobe'], '-version'),
    redis: await findVersion(['redis-server'], '--version'),
    redisUrl: config.redisUrl,
    fonts: await findFonts(),
    sandbox: {
      isRoot: process.getuid?.() === 0,
      hasUserNamespaces: (await output('unshare', ['--user', 'true'])) !== undefined,
      hasSetuidHelper: await isSetuid('/usr/lib/chromium/chrome-sandbox'),
    },
    port: { host: config.host, port: config.port, fault: await tryPort(config) },
    dataDir: await tryDataDir(config.dataDir),
    clock: { unixMs: Date.now(), isSynchronized: await isClockSynchronized() },
    sharedMemoryBytes: await statfs('/dev/shm').then(
      (s) => s.bsize * s.blocks,
      () => undefined,
    ),
    hasPages: await isReadable(RECORDER_PAGE),
  };
}

async function findVersion(
  names: readonly string[],
  flag: string,
): Promise<FoundProgram | undefined> {
  const program = findProgram(...names);
  if (program === undefined) return undefined;
  const version = /\d+(\.\d+)+/.exec((await output(program, [flag])) ?? '')?.[0];
  return version === undefined ? undefined : { path: program, version };
}

async function findFfmpeg(): Promise<Facts['ffmpeg']> {
  const found = await findVersion(['ffmpeg'], '-version');
  if (found === undefined) return undefined;
  const listing = (await output(found.path, ['-hide_banner', '-encoders'])) ?? '';
  const encoders = [...listing.matchAll(/^ [VA][A-Z.]{5} (\S+)/gm)].map((match) => match[1] ?? '');
  return { ...found, encoders };
}

async function findFonts(): Promise<Facts['fonts']> {
  const fcList = findProgram('fc-list');
  if (fcList === undefined) return undefined;
  const families = async (pattern: string): Promise<string[]> =>
    ((await output(fcList, [pattern, 'family'])) ?? '').split('\n').filter(Boolean);
  // 课 is in every Chinese font; U+1F600 is also in DejaVu, as a line drawing.
  const emoji = (await families(':charset=1f600')).filter((family) => /emoji/i.test(family));
  return { cjk: await families(':charset=8bfe'), emoji };
}

/** What a program prints; undefined when it is missing, fails or hangs. */
async function output(program: string, args: readonly string[]): Promise<string | undefined> {
  return execute(program, [...args], { timeout: PROGRAM_DEADLINE_MS, killSignal: 'SIGKILL' }).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}

async function isSetuid(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found?.uid === 0 && (found.mode & SETUID_BITS) !== 0;
}

/** Listens for a moment; says why it could not. */
async function tryPort({ host, port }: Config): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

async function tryDataDir(folder: string): Promise<Facts['dataDir']> {
  const probe = path.join(folder, `.doctor-${process.pid}`);
  try {
    await makeFolder(folder);
    await writeFile(probe, 'chalkreel');
    await rm(probe);
    const { bavail, bsize } = await statfs(folder);
    return { path: folder, fault: undefined, freeBytes: bavail * bsize };
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    return { path: folder, fault, freeBytes: 0 };
  }
}

/** systemd-timesyncd leaves a file, chrony a socket; in a container neither is seen. */
async function isClockSynchronized(): Promise<boolean | undefined> {
  if (await isReadable('/run/systemd/timesync/synchronized')) return true;
  const synchronized = await output('timedatectl', ['show', '-P', 'NTPSynchronized']);
  return synchronized === undefined ? undefined : synchronized.trim() === 'yes';
}

async function isReadable(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}
