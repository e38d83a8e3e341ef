import { spawn, type ChildProcess } from 'node:child_process';
import { createConnection } from 'node:net';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ChalkreelError } from '../../errors.ts';
import { makeFolder } from '../../folders.ts';
import { delay, type Closable } from '../../lifecycle.ts';
import type { Log } from '../../log.ts';
import { findProgram } from '../../programs.ts';
import { writeJanusConfig, type JanusConfig } from './janus-config.ts';
import { buildLoopbackShim } from './loopback-shim.ts';

const START_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
const TERM_GRACE_MS = 1500;

export type JanusOptions = JanusConfig & {
  /** Folder for its configuration; made anew, removed on close. */
  readonly folder: string;
  readonly log: Log;
};

/** A Janus WebRTC server (an SFU) of our own, on loopback. */
export type Janus = Closable & {
  readonly apiUrl: string;
  /** Process id; undefined while it is dead. */
  readonly pid: number | undefined;
  /** Ends it as an accident would; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again, with the same streams on the same ports; resolves when its API answers. */
  start(): Promise<void>;
};

/** Whether this machine has what a Janus of our own needs. */
export function hasJanus(): boolean {
  return findProgram('janus') !== undefined && findProgram('tcc', 'cc', 'gcc') !== undefined;
}

/** Starts Janus; resolves when its API answers. It dies with us. Needs janus, a C compiler and util-linux. */
export async function startJanus(options: JanusOptions): Promise<Janus> {
  const { folder, apiPort, log } = options;
  if (findProgram('janus') === undefined) {
    throw new ChalkreelError('program-missing', 'Expected janus on PATH (Debian: janus).', {
      fault: 'dependency',
    });
  }
  await makeFolder(folder);
  const shim = await buildLoopbackShim(folder);
  for (const [name, text] of Object.entries(writeJanusConfig(options))) {
    await writeFile(path.join(folder, name), text);
  }
  let child: ChildProcess | undefined;
  let said = '';
  const start = async (): Promise<void> => {
    const janus = ['env', `LD_PRELOAD=${shim}`, 'janus', '-F', folder];
    const args = ['--pdeathsig', 'KILL', ...janus, '-C', path.join(folder, 'janus.jcfg')];
    const started = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    const hear = (chunk: Buffer): void => {
      said = (said + chunk.toString()).slice(-8000);
      log.trace({ janus: chunk.toString().trimEnd() });
    };
    started.stdout.on('data', hear);
    started.stderr.on('data', hear);
    started.once('error', (error) => (said += error.message));
    started.once('close', () => {
      if (child === started) child = undefined;
    });
    await untilListening(
      apiPort,
      () => child === started,
      () => said,
    );
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    if (running === undefined) return;
    const gone = new Promise<void>((resolve) => running.once('close', () => resolve()));
    running.kill(signal);
    const kill = setTimeout(() => running.kill('SIGKILL'), TERM_GRACE_MS);
    await gone;
    clearTimeout(kill);
  };
  const janus: Janus = {
    apiUrl: `ws://127.0.0.1:${apiPort}`,
    get pid() {
      return child?.pid;
    },
    kill: () => stop('SIGKILL'),
    start,
    close: async () => {
      await stop('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
  } catch (error) {
    await janus.close();
    throw error;
  }
  return janus;
}

async function untilListening(
  port: number,
  isAlive: () => boolean,
  said: () => string,
): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await answers(port))) {
    if (!isAlive() || performance.now() > deadline) {
      const message = `Janus did not start: ${said().trim().split('\n').slice(-20).join('\n')}`;
      throw new ChalkreelError('sfu-failed', message, { fault: 'dependency' });
    }
    await delay(POLL_MS);
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
