import { readFile } from 'node:fs/promises';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { SegmentDigest } from './findings.ts';
import { GRID_RATES } from './grid.ts';
import { formatReport, formatRules } from './print.ts';
import { UnreadableInput, findTargets, reasonOf } from './source.ts';
import { TIME_MODULUS } from './ticks.ts';
import { verifyTarget } from './verify.ts';

const EXIT_VIOLATIONS = 1;
const EXIT_UNREADABLE = 2;

type Flags = {
  readonly json?: true;
  readonly fps?: number;
  readonly ptsOrigin?: number;
  readonly bearer?: string;
  readonly expect?: string;
  readonly decode: boolean;
};

/** Runs the command; the exit code is 0 for no violation, 1 for any, 2 for input that cannot be read. */
async function main(args: readonly string[]): Promise<number> {
  const command = createCommand();
  command.parse(args, { from: 'user' });
  const [target] = command.args;
  if (target === undefined)
    throw new UnreadableInput('give a playlist, a segment, a clip or a folder');
  const { json, expect, ...flags } = command.opts<Flags>();
  const expected = expect === undefined ? undefined : await readDigests(expect);
  let hasViolations = false;
  for (const found of await findTargets(target)) {
    const report = await verifyTarget(found, { ...flags, expected });
    process.stdout.write(`${json ? JSON.stringify(report) : formatReport(report)}\n`);
    hasViolations ||= report.violations.length > 0;
  }
  return hasViolations ? EXIT_VIOLATIONS : 0;
}

function createCommand(): Command {
  return new Command('verify')
    .description('Checks a recording or clip against the rules of design.md, from outside.')
    .argument(
      '<path or URL>',
      'playlist (.m3u8, also one being served), segment (.ts), clip (.mp4) or folder',
    )
    .option('--json', 'print one JSON object, a line for each thing checked')
    .option('--fps <n>', 'frames per second (default: inferred)', parseRate)
    .option('--pts-origin <ticks>', 'B in 90 kHz ticks (default: 900000)', parseTicks)
    .option('--bearer <key>', "sent as bearer key to the input's own origin")
    .option('--expect <file>', 'an earlier --json report: prove that nothing changed since')
    .option('--no-decode', 'do not decode with ffmpeg')
    .addHelpText('after', `\nRules:\n${formatRules()}`)
    .showSuggestionAfterError(false)
    .exitOverride();
}

function parseRate(text: string): number {
  const rate = GRID_RATES.find((candidate) => String(candidate) === text);
  if (!rate) throw new InvalidArgumentError(`expected one of ${GRID_RATES.join(', ')}.`);
  return rate;
}

function parseTicks(text: string): number {
  const ticks = Number(text);
  if (/^\d{1,10}$/.test(text) && ticks < TIME_MODULUS) return ticks;
  throw new InvalidArgumentError('expected a whole number below 2^33.');
}

async function readDigests(file: string): Promise<readonly SegmentDigest[]> {
  try {
    const report: unknown = JSON.parse(await readFile(file, 'utf8'));
    const { summary } = report as { summary: { digests: SegmentDigest[] } };
    if (!Array.isArray(summary.digests)) throw new Error('there are no digests in it');
    return summary.digests;
  } catch (error) {
    throw new UnreadableInput(`--expect ${file}: ${reasonOf(error)}`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_UNREADABLE;
  } else if (error instanceof UnreadableInput) {
    process.stderr.write(`verify: ${error.message}\n`);
    process.exitCode = EXIT_UNREADABLE;
  } else {
    throw error;
  }
}
