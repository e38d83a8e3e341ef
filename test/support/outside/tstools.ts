import { stat } from 'node:fs/promises';
import { PACKET_BYTES, TABLES_PERIOD_90K } from '../../../src/media/mpegts/format.ts';
import { PTS_MODULUS } from '../../../src/model/grid.ts';
import { complaintsOf, linesOf, miscount, runTool } from './program.ts';
import type { Stretch, Subject } from './stretch.ts';

/** Marks of a fault in what the tools print; what is not one of these is information. */
const FAULT = /###|!!!|\bbad\b|error|discontinuity|unexpected|not found|failed/i;
/** The two lines of a good report that look like a fault. */
const HARMLESS = /Bad \(>\.1s\) gaps: 0,|^Linear PCR prediction errors:/;

/** PCR counts 27 MHz, PTS 90 kHz. */
const CLOCK_RATIO = 300;

/** tstools' complaints: tsinfo on the tables, tsreport on packets, counters and PCR, ts2es and esreport on the access units. */
export async function runTstools({ stretches }: Subject): Promise<string[]> {
  const complaints: string[] = [];
  for (const stretch of stretches) {
    complaints.push(...(await inspectTransport(stretch)));
    if (stretch.pictures > 0) complaints.push(...(await inspectPictures(stretch)));
  }
  return complaints;
}

async function inspectTransport({ file, pictures }: Stretch): Promise<string[]> {
  const packets = (await stat(file)).size / PACKET_BYTES;
  const tables = await runTool('tsinfo', ['-max', `${packets}`, file]);
  const timing = await runTool('tsreport', ['-buffering', file]);
  const plain = await runTool('tsreport', ['-timing', file]);
  const read = Number(/Read (\d+) TS packets/.exec(plain.output)?.[1]);
  const streams = [...tables.output.matchAll(/-> Stream type (\w+)/g)].map((match) => match[1]);
  const expected = pictures > 0 ? '1b 0f' : '0f';
  return [
    ...[tables, timing, plain].flatMap((run) => complaintsOf(run, isFault)),
    ...miscount('packets', read, packets),
    ...(streams.join(' ') === expected ? [] : [`lists streams ${streams.join(' ')}`]),
  ];
}

async function inspectPictures({ file, pictures }: Stretch): Promise<string[]> {
  const elementary = `${file}.h264`;
  const extraction = await runTool('ts2es', ['-video', file, elementary]);
  const report = await runTool('esreport', ['-h264', '-q', elementary]);
  const delimiters = Number(/(\d+) of type\s+9 \(access unit delim/.exec(report.output)?.[1]);
  return [
    ...[extraction, report].flatMap((run) => complaintsOf(run, isFault)),
    ...miscount('access unit delimiters', delimiters, pictures),
  ];
}

function isFault(line: string): boolean {
  return FAULT.test(line) && !HARMLESS.test(line) && !isWrap(line);
}

/** tsreport -timing subtracts PCRs without minding that they are modulo 2^33 · 300 of 27 MHz (ISO/IEC 13818-1 §2.4.2.2). */
function isWrap(line: string): boolean {
  const match = /Discontinuity: PCR was (\d+), now (\d+)/.exec(line);
  if (match === null) return false;
  const step = Number(match[2]) + PTS_MODULUS * CLOCK_RATIO - Number(match[1]);
  return step > 0 && step <= TABLES_PERIOD_90K * CLOCK_RATIO;
}

/** The version of the tstools that are installed. */
export async function tstoolsVersion(): Promise<string> {
  const { output } = await runTool('tsreport', []);
  return /TS tools version ([\d.]+)/.exec(output)?.[1] ?? linesOf(output)[0] ?? 'unknown';
}
