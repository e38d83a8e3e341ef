import { spawn } from 'node:child_process';
import { ulid } from 'ulid';
import { systemClock } from '../clock.ts';
import { loadCommandConfig, type Config } from '../config.ts';
import { inputError } from '../errors.ts';
import { Resources } from '../lifecycle.ts';
import { createLog, type Log } from '../log.ts';
import { whenToldToStop } from '../parent-watch.ts';
import { BatchBoard } from '../queue/batch-board.ts';
import { cancelNight, startNightNow } from '../queue/batch-control.ts';
import { readBatch, readReencode } from '../queue/batch-status.ts';
import { embeddedRedisUrl } from '../queue/embedded-redis.ts';
import { nightTimes } from '../queue/night-schedule.ts';
import { openServices, type Services } from '../queue/open-services.ts';
import { loadProfiles, nameProfiles, profilesFor } from '../queue/reencode-profiles.ts';
import { cancelReencode, requestReencode } from '../queue/request-reencode.ts';
import { formatBatch, formatReencode } from './batch/format.ts';
import { watchBatch } from './batch/watch.ts';
import { roleCommand } from './role-command.ts';

export type BatchOptions = {
  readonly watch?: true;
  readonly json?: true;
  readonly profiles?: string;
};

type BatchCommand = BatchOptions & {
  readonly action: string | undefined;
  readonly recording: string | undefined;
};

const ACTIONS = ['status', 'start', 'cancel', 'worker'] as const;
type Action = (typeof ACTIONS)[number];

type Context = {
  readonly services: Services & { readonly board: BatchBoard };
  readonly config: Config;
  readonly log: Log;
};

/** Looks at the batch of a running system, begins it or calls it off; `worker` works for it until it is told to stop. Resolves to the exit code. */
export async function runBatch(command: BatchCommand): Promise<number> {
  const action = parseAction(command.action);
  if (action === 'worker') return runWorker();
  const config = loadCommandConfig();
  const resources = new Resources();
  const stop = new AbortController();
  void whenToldToStop().then(() => stop.abort(new Error('stopped')));
  try {
    const log = createLog('batch-command', config.logLevel);
    const redisUrl = config.redisUrl ?? (await embeddedRedisUrl(config.dataDir));
    const opened = await openServices({ ...config, redisUrl }, log, { isObserver: true });
    resources.use(opened);
    const services = { ...opened, board: new BatchBoard(opened.redis.client) };
    const context = { services, config, log };
    await act(action, command, context);
    const read = (): Promise<Shown> => readStatus(command.recording, context);
    if (command.watch === true) await watchBatch(read, stop.signal);
    else print(await read(), command.json === true);
    return 0;
  } finally {
    await resources.close();
  }
}

type Shown = {
  readonly json: object;
  readonly text: string;
  readonly status: Awaited<ReturnType<typeof readBatch>> | Awaited<ReturnType<typeof readReencode>>;
};

async function act(action: Action, command: BatchCommand, context: Context): Promise<void> {
  const { services, config, log } = context;
  const nowMs = Math.round(systemClock.nowMs());
  const { recording } = command;
  if (action === 'start' && recording === undefined) {
    await startNightNow(services, config.batch, nowMs);
  } else if (action === 'start' && recording !== undefined) {
    await startOne(recording, command.profiles, context, nowMs);
  } else if (action === 'cancel' && recording === undefined) {
    await cancelNight({ ...services, log }, nowMs);
  } else if (action === 'cancel' && recording !== undefined) {
    await cancelReencode(recording, { reason: 'cancel-requested', nowMs }, { ...services, log });
  }
}

async function startOne(
  id: string,
  names: string | undefined,
  { services, config, log }: Context,
  nowMs: number,
): Promise<void> {
  const known = await loadProfiles(config.batch);
  const recording = await services.recordings.get(id);
  const profiles =
    names === undefined
      ? profilesFor(recording, known)
      : nameProfiles(
          [...known.byName.values()],
          names.split(',').map((name) => name.trim()),
        ).nightly;
  const wish = { profiles, origin: 'api', night: null, nowMs } as const;
  await requestReencode(id, wish, { ...services, log, newId: ulid });
}

async function readStatus(id: string | undefined, { services, config }: Context): Promise<Shown> {
  const nowMs = systemClock.nowMs();
  if (id !== undefined) {
    const status = await readReencode(await services.recordings.get(id), services, nowMs);
    return { json: status, text: formatReencode(status), status };
  }
  const status = await readBatch(services, nightTimes(config.batch), nowMs);
  return { json: status, text: formatBatch(status, config.batch.timeZone), status };
}

function print({ json, text }: Shown, asJson: boolean): void {
  process.stdout.write(`${asJson ? JSON.stringify(json) : text}\n`);
}

function parseAction(text = 'status'): Action {
  const action = ACTIONS.find((one) => one === text);
  if (action !== undefined) return action;
  throw inputError('action', `action: expected one of ${ACTIONS.join(', ')}; got ${text}`);
}

/** One batch worker in a process of its own; signals are passed on. */
function runWorker(): Promise<number> {
  const [program, ...args] = roleCommand('src/batch/main');
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
