#!/usr/bin/env node
import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import type { DemoOptions } from './demo/options.ts';
import { CLASS_LAYOUTS } from '../model/layout.ts';
import { RECORD_OPTIONS } from '../protocol/record-options.ts';
import { EXIT_INPUT, runRole } from '../run-role.ts';
import type { BatchOptions } from './batch.ts';
import { runRecord } from './record.ts';
import type { ReindexOptions } from './reindex.ts';
import { runUp } from './up.ts';

/** The `chalkreel` command: each subcommand starts roles as processes and imports none of them. */

await runRole(async () => {
  let exitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  await program.parseAsync();
  return exitCode;
});

function createProgram(onExitCode: (code: number) => void): Command {
  const program = new Command('chalkreel')
    .description('Records online classrooms with a fleet of headless browsers.')
    // Commander has said what is wrong; help and version come here too, with exit code 0.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_INPUT))
    .showSuggestionAfterError(false)
    .configureOutput({
      writeErr: (text) => process.stderr.write(text.replace(/^error: /, 'chalkreel: ')),
    });
  addRecord(program, onExitCode);
  program
    .command('up')
    .description('run the whole system on this machine; settings come from CHALKREEL_* variables')
    .action(() => runUp(loadConfig()));
  addDemo(program, onExitCode);
  addDoctor(program, onExitCode);
  addReindex(program, onExitCode);
  addBatch(program, onExitCode);
  if (process.argv.length <= 2) program.help({ error: true });
  return program;
}

function addRecord(program: Command, onExitCode: (code: number) => void): void {
  const record = program
    .command('record')
    .description('record one page into a folder, without Redis or API')
    .argument('<url>', 'page to record, http or https');
  for (const [flags, description] of RECORD_OPTIONS) record.option(flags, description);
  record.action(async (url: string, options: Record<string, string | boolean>) => {
    onExitCode(await runRecord(url, options));
  });
}

function addDemo(program: Command, onExitCode: (code: number) => void): void {
  program
    .command('demo')
    .description('record the built-in live classroom and keep a highlight of it')
    .option('--seconds <n>', 'how long to record', '30')
    .option('--out <dir>', 'folder for what was made; default: a new one in demo-out')
    .option('--json', 'print the result as one JSON line, the last of stdout')
    .option('--keep', 'go on serving afterwards')
    .option('--sources <kind>', 'whep (WebRTC, default) or hls: how the cameras reach the class')
    .option('--layout <name>', `how the class is arranged: ${CLASS_LAYOUTS.join(', ')}`)
    .option('--view <whose>', 'teacher or audience (default): whose eyes the class is seen with')
    .option('--size <WxH>', 'picture in pixels; 720x1280 is portrait. Default: 1280x720')
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import('./demo.ts');
      onExitCode(await runDemo(options));
    });
}

function addDoctor(program: Command, onExitCode: (code: number) => void): void {
  program
    .command('doctor')
    .description('say what is installed and what is missing, with a mend for each fault')
    .option('--json', 'print it as one JSON line')
    .action(async (options: { json?: true }) => {
      const { runDoctor } = await import('./doctor.ts');
      onExitCode(await runDoctor(options));
    });
}

function addReindex(program: Command, onExitCode: (code: number) => void): void {
  program
    .command('reindex')
    .description('compare Redis with the store, and bring back what Redis has lost')
    .option('--recording <id>', 'look at this one only')
    .option('--dry-run', 'only say what differs')
    .option('--json', 'print it as one JSON line')
    .action(async (options: ReindexOptions) => {
      const { runReindex } = await import('./reindex.ts');
      onExitCode(await runReindex(options));
    });
}

function addBatch(program: Command, onExitCode: (code: number) => void): void {
  program
    .command('batch')
    .description('the nightly re-encode: how it goes, begin it, call it off, or work for it')
    .argument('[action]', 'status (default), start, cancel or worker')
    .argument('[recording]', 'this recording only, whatever night it is')
    .option('--watch', 'go on showing how it goes until it is through')
    .option('--profiles <names>', 'with start: what to re-encode into, separated by commas')
    .option('--json', 'print it as one JSON line')
    .action(
      async (action: string | undefined, recording: string | undefined, options: BatchOptions) => {
        const { runBatch } = await import('./batch.ts');
        onExitCode(await runBatch({ action, recording, ...options }));
      },
    );
}
