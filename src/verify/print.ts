import type { Report, Violation } from './findings.ts';
import { RULES, type RuleId } from './rules.ts';

/** Violations of one rule printed in full; the rest is counted (all are in --json). */
const SHOWN_PER_RULE = 10;

/** The report as text for a person. */
export function formatReport({ violations, summary }: Report): string {
  const lines = [...new Set(violations.map(({ rule }) => rule))].flatMap(
    (rule) =>
    formatRule(rule, violations.filter((violation) => violation.rule === rule)), // prettier-ignore
  );
  for (const note of summary.notes) lines.push(`note: ${note}`);
  const { segments, gaps, pictures, audioFrames, bytes, fps, width, height } = summary;
  const size = width === null ? 'no picture' : `${width}×${height} at ${fps ?? '?'} fps`;
  lines.push(
    `checked ${summary.kind} ${summary.input}: ${segments} segments (${gaps} gaps), ` +
      `${pictures} pictures, ${audioFrames} audio frames, ${bytes} bytes, ${size}, ` +
      (summary.decoded ? 'decoded with ffmpeg' : 'not decoded'),
    violations.length === 0 ? 'no violations' : `${violations.length} violations`,
  );
  return lines.join('\n');
}

function formatRule(rule: RuleId, violations: readonly Violation[]): string[] {
  const shown = violations.slice(0, SHOWN_PER_RULE).map(({ segment, offset, message }) => {
    const place = offset === null ? segment : `${segment} @${offset}`;
    return `  ${place}: ${message}`;
  });
  const rest = violations.length - shown.length;
  return [`${rule}: ${RULES[rule]}`, ...shown, ...(rest > 0 ? [`  and ${rest} more`] : [])];
}

/** All rules as a table of id and sentence. */
export function formatRules(): string {
  return Object.entries(RULES)
    .map(([id, sentence]) => `${id.padEnd(20)}${sentence}`)
    .join('\n');
}
