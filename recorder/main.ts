import { Command, Option } from 'commander';
import { z } from 'zod';
import { loadCommandConfig, loadConfig } from '../src/config.ts';
import { inputError } from '../src/errors.ts';
import { createLog } from '../src/log.ts';
import { exitWhenParentDies, whenToldToStop } from '../src/parent-watch.ts';
import { readProgress } from '../src/model/progress.ts';
import { RECORD_OPTIONS } from '../src/protocol/record-options.ts';
import { pageUrlSchema, recordingSettingsSchema } from '../src/protocol/recording-request.ts';
import { EXIT_INPUT, runRole } from '../src/run-role.ts';
import type { RecordingSettings } from '../src/model/recording.ts';
import { recordOnce, type OnceResult } from './once.ts';

/** The recorder role: `--worker` takes recordings from the queue, `--once URL` records straight into a folder. */

type Arguments = {
  readonly once?: string;
  readonly worker?: boolean;
  readonly out?: string;
  readonly json?: boolean;
} & SettingArguments;

type SettingArguments = {
  readonly seconds?: string;
  readonly audioOnly?: boolean;
  readonly width?: string;
  readonly height?: string;
  readonly fps?: string;
  readonly bitrate?: string;
  readonly audioBitrate?: string;
  readonly readyTimeout?: string;
  readonly awaitSignal?: boolean;
  readonly soundSkew?: string;
};

/** With the parent gone, a recording gets this long to reach its boundary and write its last files. */
const ORPHAN_GRACE_MS = 15_000;

await runRole(async () => {
  const args = parseArguments();
  if (args.worker === true) await (await import('./worker.ts')).runWorker(loadConfig());
  else await runOnce(args);
});

function parseArguments(): Arguments {
  const command = new Command('recorder')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_INPUT))
    .configureOutput({
      writeErr: (text) => process.stderr.write(text.replace(/^error: /, 'chalkreel: ')),
    })
    .option('--worker', 'take recordings from the queue')
    .option('--once <url>', 'record one page into a folder, without Redis or API')
    .addOption(new Option('--sound-skew <ms>', 'for tests: lay sound so much too late').hideHelp());
  for (const [flags, description] of RECORD_OPTIONS) command.option(flags, description);
  return command.parse().opts<Arguments>();
}

async function runOnce(args: Arguments): Promise<void> {
  const url = parseField('url', pageUrlSchema, args.once);
  const out = parseField('out', z.string({ error: 'expected a folder' }).min(1), args.out);
  const settings = parseSettings(args);
  const config = loadCommandConfig();
  const stop = new AbortController();
  void whenToldToStop().then(() => stop.abort());
  exitWhenParentDies(ORPHAN_GRACE_MS);
  const result = await recordOnce({
    source: { kind: 'page', url },
    settings,
    out,
    config,
    log: createLog('recorder', config.logLevel),
    stopSignal: stop.signal,
    soundSkewMs: number('sound-skew', args.soundSkew),
  });
  print(result, args.json === true);
  if ('failure' in result.end) throw result.end.failure;
}

function parseSettings(args: SettingArguments): RecordingSettings {
  const given = {
    media: args.audioOnly === true ? 'audio' : 'audio-video',
    width: number('width', args.width),
    height: number('height', args.height),
    fps: number('fps', args.fps),
    videoBitrate: number('bitrate', args.bitrate),
    audioBitrate: number('audio-bitrate', args.audioBitrate),
    readinessTimeoutMs: number('ready-timeout', args.readyTimeout, 1000),
    maxDurationMs: number('seconds', args.seconds, 1000),
    readiness: args.awaitSignal === true ? 'signal' : 'load',
  };
  const result = recordingSettingsSchema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw inputError(String(issue?.path[0]), `${String(issue?.path[0])}: ${issue?.message ?? ''}`);
}

function number(field: string, text: string | undefined, factor = 1): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw inputError(field, `${field}: expected a number, got "${text}"`);
  }
  return Math.round(value * factor);
}

function parseField<T>(field: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw inputError(field, `${field}: ${result.error.issues[0]?.message ?? 'invalid'}`);
}

function print(result: OnceResult, asJson: boolean): void {
  const { playlist, segments, originMs, progress } = result;
  const summary = { ...readProgress(progress), playlist, segments, startMs: originMs };
  const text = asJson ? JSON.stringify(summary) : `${playlist} (${segments} segments)`;
  process.stdout.write(`${text}\n`);
}
