import { loadConfig, type Config } from '../config.ts';
import { gatherFacts } from './doctor/facts.ts';
import { judge, type Finding } from './doctor/findings.ts';

/** Prints what this machine has and how to mend what it lacks. Resolves with the exit code: 1 when there is a fault. */
export async function runDoctor(
  options: { readonly json?: true },
  config: Config = loadConfig(),
): Promise<number> {
  const findings = judge(await gatherFacts(config));
  console.log(options.json === true ? JSON.stringify({ findings }) : formatFindings(findings));
  return findings.some((finding) => finding.verdict === 'fault') ? 1 : 0;
}

const SIGNS = { ok: 'ok   ', warning: 'warn ', fault: 'FAULT' } as const;

/** One line a finding, its mend below it. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((finding) => finding.name.length));
  const lines = findings.flatMap(({ name, verdict, found, mend }) => [
    `${SIGNS[verdict]}  ${name.padEnd(width)}  ${found}`,
    ...(mend === undefined ? [] : [`${' '.repeat(width + 9)}mend: ${mend}`]),
  ]);
  const faults = findings.filter((finding) => finding.verdict === 'fault').length;
  const summary = faults === 0 ? 'Ready to record.' : `${faults} to mend before recording works.`;
  return [...lines, '', summary].join('\n');
}
