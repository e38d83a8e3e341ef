import type { Findings, Report, Summary } from './findings.ts';
import type { Grid, PlacedSegment } from './grid.ts';
import type { Decode } from './decode.ts';

type Checked = {
  readonly name: string;
  readonly kind: Summary['kind'];
  readonly placed: readonly PlacedSegment[];
  readonly gaps: number;
  readonly grid: Grid | undefined;
  readonly decode?: Decode | undefined;
};

/** Puts the report together: what was found, and what was looked at. */
export function summarize(findings: Findings, checked: Checked): Report {
  const { placed, grid } = checked;
  const sps = placed.flatMap(({ facts }) => facts.pictures?.sps ?? [])[0];
  const total = (count: (segment: PlacedSegment) => number) =>
    placed.reduce((sum, segment) => sum + count(segment), 0);
  const summary: Summary = {
    input: checked.name,
    kind: checked.kind,
    segments: placed.length,
    gaps: checked.gaps,
    pictures: total(({ facts }) => facts.pictures?.list.length ?? 0),
    audioFrames: total(({ facts }) => facts.audio.reduce((sum, { frames }) => sum + frames, 0)),
    bytes: total(({ facts }) => facts.bytes),
    fps: grid?.fps ?? null,
    width: sps?.width ?? null,
    height: sps?.height ?? null,
    ptsOrigin: grid?.ptsOrigin ?? null,
    decoded: checked.decode !== undefined,
    notes: [...findings.notes, ...noteExtraIdrs(placed)],
    digests: placed.map(({ n, name, facts }) => ({ segment: name, n, sha256: facts.sha256 })),
  };
  return { violations: findings.violations, summary };
}

function noteExtraIdrs(placed: readonly PlacedSegment[]): string[] {
  return placed.flatMap(({ name, facts }) => {
    const extra = (facts.pictures?.list ?? []).filter(({ isIdr }) => isIdr).length - 1;
    return extra > 0 ? [`${name}: ${extra} more IDR pictures than the first`] : [];
  });
}
