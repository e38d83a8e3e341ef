import path from 'node:path';
import { z } from 'zod';
import { ChalkreelError } from './errors.ts';
import { isTimeZone } from './model/night.ts';

/** Secrets separated by commas, each of 16 characters or more; none by default. */
const secretList = z
  .string()
  .transform((secrets) =>
    secrets
      .split(',')
      .map((secret) => secret.trim())
      .filter(Boolean),
  )
  .pipe(z.array(z.string().min(16)))
  .default([]);

/** Settings, each read from one environment variable. Only this file reads the environment. */
const schema = z.object({
  /** Folder for embedded Redis, storage, spools. Default `./data`. Losing it loses what was not uploaded. */
  CHALKREEL_DATA_DIR: z.string().min(1).default('data'),
  /** Redis to use. Default: an embedded redis-server inside the data folder. */
  CHALKREEL_REDIS_URL: z
    .string()
    .regex(/^(rediss?:\/\/|unix:\/\/|\/)/, 'expected redis://, rediss:// or a socket path')
    .optional(),
  /** Where segments go: `file:///folder`. Default `<data>/storage`. */
  CHALKREEL_STORAGE_URL: z.url({ protocol: /^(file|s3)$/ }).optional(),
  /** Port of the HTTP API; 0 takes a free one. Default 8787. */
  CHALKREEL_PORT: z.coerce.number().int().min(0).max(65_535).default(8787),
  /** Address the API listens on. Default 127.0.0.1: reachable from this machine only. */
  CHALKREEL_HOST: z.string().min(1).default('127.0.0.1'),
  /** Bearer keys the API takes, separated by commas, each of 16 characters or more. `up` and `demo` make one when unset. */
  CHALKREEL_API_KEYS: secretList,
  /** Secrets that sign links, newest first, separated by commas; the second is still accepted. Made when unset. */
  CHALKREEL_LINK_SECRETS: secretList,
  /** Days that recordings are kept after their end, unless they say it themselves. Default: for ever. Clips outlive them. */
  CHALKREEL_RETENTION_DAYS: z.coerce.number().positive().max(36_525).optional(),
  /** Recordings one worker makes at a time. Default 1 per core, at least 1: each needs about 0.8 core. */
  CHALKREEL_SLOTS: z.coerce.number().int().min(1).max(64).optional(),
  /**
   * How long a worker that is told to stop goes on with recordings that no other worker takes, s. Default 600. Then it leaves them at a
   * boundary, to be taken; whoever kills it earlier cuts into the lesson.
   */
  CHALKREEL_DRAIN_S: z.coerce.number().min(0).max(86_400).default(600),
  /** A recording's browser is replaced by a fresh one after so many hours, without a gap. Default 8. Longer ones may leak memory. */
  CHALKREEL_BROWSER_HOURS: z.coerce.number().positive().max(48).default(8),
  /**
   * `no`: a worker keeps no browser open for the class that comes next. Default yes: it begins, or is taken over, 1 to 2 s sooner, for the
   * memory of an idle Chrome (about 320 MB).
   */
  CHALKREEL_SPARE_BROWSER: z.enum(['yes', 'no']).default('yes'),
  /**
   * Most of a recording that waits on a worker's disk while Redis or storage are away, MB. Default 8192: 6 h at 3 Mb/s. Beyond it the
   * oldest that waits is given up.
   */
  CHALKREEL_SPOOL_MB: z.coerce.number().int().min(16).default(8192),
  /** `yes`: a worker that is alone may make both lanes of a recording with redundancy. Default no: the second waits for a worker. */
  CHALKREEL_LANES_ALONE: z.enum(['yes', 'no']).default('no'),
  /** When the nightly batch begins, as cron says it in local time; `off`: never by itself. Default `30 1 * * *`: 01:30, once per local date. */
  CHALKREEL_BATCH_CRON: z
    .string()
    .regex(
      /^(off|\S+( \S+){4,5})$/,
      'expected five or six cron fields, such as "30 1 * * *", or off',
    )
    .default('30 1 * * *'),
  /** Time zone of nights and of their window. Default: this machine's. All batch workers must have the same. */
  CHALKREEL_BATCH_TIME_ZONE: z
    .string()
    .refine(isTimeZone, 'expected a time zone, such as Europe/Berlin')
    .default(Intl.DateTimeFormat().resolvedOptions().timeZone),
  /** Local time at which a night ends, HH:MM. Default 06:00. What is not through goes on the next night. */
  CHALKREEL_BATCH_END: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time, HH:MM')
    .default('06:00'),
  /** Names of the profiles that every recording is re-encoded into, separated by commas. Default `avc-1080p-hls`: never above the source. */
  CHALKREEL_BATCH_PROFILES: z
    .string()
    .default('avc-1080p-hls')
    .transform((names) =>
      names
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean),
    )
    .pipe(z.array(z.string()).min(1)),
  /** A JSON file with profiles of one's own (docs/batch.md), beside those that are always there. */
  CHALKREEL_REENCODE_PROFILES: z.string().min(1).optional(),
  /** `yes`: a recording is re-encoded as soon as it is over. Default no: in the night. */
  CHALKREEL_BATCH_ON_FINISH: z.enum(['yes', 'no']).default('no'),
  /** Chunks that a batch worker encodes at a time. Default 1 per core. */
  CHALKREEL_BATCH_JOBS: z.coerce.number().int().min(1).max(256).optional(),
  /**
   * Live recordings on a batch worker's host beside which it works, at idle priority; with more it stands still. Default: half of the
   * recorder's slots. 0: never beside one.
   */
  CHALKREEL_BATCH_LIVE_SLOTS: z.coerce.number().int().min(0).max(1024).optional(),
  /** `normal`: on machines that only re-encode. Default `idle`: encoders get the CPU that nobody else wants. */
  CHALKREEL_BATCH_PRIORITY: z.enum(['idle', 'normal']).default('idle'),
  /** After so many seconds without a word a batch worker counts as dead, and others take its chunks. Default 15. */
  CHALKREEL_BATCH_LOCK_S: z.coerce.number().min(1).max(600).default(15),
  /** Chromium to run. Default: the first of chromium, google-chrome on PATH. */
  CHALKREEL_CHROMIUM: z.string().min(1).optional(),
  /** fatal, error, warn, info, debug, trace or silent. Default info. */
  CHALKREEL_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info'),
});

export type Config = {
  readonly dataDir: string;
  readonly redisUrl: string | undefined;
  readonly storageUrl: string | undefined;
  readonly port: number;
  readonly host: string;
  readonly apiKeys: readonly string[];
  readonly linkSecrets: readonly string[];
  readonly retentionDays: number | undefined;
  readonly slots: number | undefined;
  readonly drainMs: number;
  readonly browserMs: number;
  readonly hasSpareBrowser: boolean;
  readonly maxSpoolBytes: number;
  readonly mayMakeBothLanes: boolean;
  readonly batch: BatchConfig;
  readonly chromium: string | undefined;
  readonly logLevel: string;
};

/** Settings of the nightly batch. */
export type BatchConfig = {
  /** Undefined: no nights. */
  readonly cron: string | undefined;
  readonly timeZone: string;
  /** `HH:MM`. */
  readonly endsAt: string;
  readonly profiles: readonly string[];
  /** A JSON file. */
  readonly profilesFile: string | undefined;
  readonly onFinish: boolean;
  readonly jobs: number | undefined;
  readonly liveSlots: number | undefined;
  readonly priority: 'idle' | 'normal';
  readonly lockMs: number;
};

/** Reads and checks the environment; throws an input error that names the first variable at fault. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const result = schema.safeParse(env);
  if (!result.success) {
    const issue = result.error.issues[0];
    const field = String(issue?.path[0]);
    throw new ChalkreelError('invalid-setting', `${field}: ${issue?.message ?? 'invalid'}`, {
      fault: 'input',
      details: { field },
    });
  }
  const e = result.data;
  return {
    dataDir: path.resolve(e.CHALKREEL_DATA_DIR),
    redisUrl: e.CHALKREEL_REDIS_URL,
    storageUrl: e.CHALKREEL_STORAGE_URL,
    port: e.CHALKREEL_PORT,
    host: e.CHALKREEL_HOST,
    apiKeys: e.CHALKREEL_API_KEYS,
    linkSecrets: e.CHALKREEL_LINK_SECRETS,
    retentionDays: e.CHALKREEL_RETENTION_DAYS,
    slots: e.CHALKREEL_SLOTS,
    drainMs: e.CHALKREEL_DRAIN_S * 1000,
    browserMs: e.CHALKREEL_BROWSER_HOURS * 3_600_000,
    hasSpareBrowser: e.CHALKREEL_SPARE_BROWSER === 'yes',
    maxSpoolBytes: e.CHALKREEL_SPOOL_MB * 1_000_000,
    mayMakeBothLanes: e.CHALKREEL_LANES_ALONE === 'yes',
    batch: {
      cron: e.CHALKREEL_BATCH_CRON === 'off' ? undefined : e.CHALKREEL_BATCH_CRON,
      timeZone: e.CHALKREEL_BATCH_TIME_ZONE,
      endsAt: e.CHALKREEL_BATCH_END,
      profiles: e.CHALKREEL_BATCH_PROFILES,
      profilesFile: e.CHALKREEL_REENCODE_PROFILES,
      onFinish: e.CHALKREEL_BATCH_ON_FINISH === 'yes',
      jobs: e.CHALKREEL_BATCH_JOBS,
      liveSlots: e.CHALKREEL_BATCH_LIVE_SLOTS,
      priority: e.CHALKREEL_BATCH_PRIORITY,
      lockMs: e.CHALKREEL_BATCH_LOCK_S * 1000,
    },
    chromium: e.CHALKREEL_CHROMIUM,
    logLevel: e.CHALKREEL_LOG_LEVEL,
  };
}

/** The same for a command whose stderr a person reads: no more than warnings is logged, unless it was asked for. */
export function loadCommandConfig(env: NodeJS.ProcessEnv = process.env): Config {
  return loadConfig({ CHALKREEL_LOG_LEVEL: 'warn', ...env });
}

/** An environment for a child process: this one's, with these settings in it. */
export function childEnvironment(config: Config): NodeJS.ProcessEnv {
  const settings = {
    CHALKREEL_DATA_DIR: config.dataDir,
    CHALKREEL_REDIS_URL: config.redisUrl,
    CHALKREEL_STORAGE_URL: config.storageUrl,
    CHALKREEL_PORT: String(config.port),
    CHALKREEL_HOST: config.host,
    CHALKREEL_API_KEYS: config.apiKeys.join(','),
    CHALKREEL_LINK_SECRETS: config.linkSecrets.join(','),
    CHALKREEL_RETENTION_DAYS:
      config.retentionDays === undefined ? undefined : String(config.retentionDays),
    CHALKREEL_SLOTS: config.slots === undefined ? undefined : String(config.slots),
    CHALKREEL_DRAIN_S: String(config.drainMs / 1000),
    CHALKREEL_BROWSER_HOURS: String(config.browserMs / 3_600_000),
    CHALKREEL_SPARE_BROWSER: config.hasSpareBrowser ? 'yes' : 'no',
    CHALKREEL_SPOOL_MB: String(config.maxSpoolBytes / 1_000_000),
    CHALKREEL_LANES_ALONE: config.mayMakeBothLanes ? 'yes' : 'no',
    CHALKREEL_BATCH_CRON: config.batch.cron ?? 'off',
    CHALKREEL_BATCH_TIME_ZONE: config.batch.timeZone,
    CHALKREEL_BATCH_END: config.batch.endsAt,
    CHALKREEL_BATCH_PROFILES: config.batch.profiles.join(','),
    CHALKREEL_REENCODE_PROFILES: config.batch.profilesFile,
    CHALKREEL_BATCH_ON_FINISH: config.batch.onFinish ? 'yes' : 'no',
    CHALKREEL_BATCH_JOBS: config.batch.jobs === undefined ? undefined : String(config.batch.jobs),
    CHALKREEL_BATCH_LIVE_SLOTS:
      config.batch.liveSlots === undefined ? undefined : String(config.batch.liveSlots),
    CHALKREEL_BATCH_PRIORITY: config.batch.priority,
    CHALKREEL_BATCH_LOCK_S: String(config.batch.lockMs / 1000),
    CHALKREEL_CHROMIUM: config.chromium,
    CHALKREEL_LOG_LEVEL: config.logLevel,
  };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return { ...process.env, ...Object.fromEntries(given) };
}

/** The folders of PATH, in order. */
export function programFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  return (env.PATH ?? '').split(path.delimiter).filter(Boolean);
}
