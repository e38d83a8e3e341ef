import type { Complain } from '../findings.ts';
import {
  CLOCK_RATIO,
  SEGMENT_TICKS,
  TABLE_INTERVAL_TICKS,
  clockBetween,
  wrapTicks,
} from '../ticks.ts';
import type { TsPacket } from './packet.ts';
import type { Pes } from './pes.ts';
import type { TablePacket } from './tables.ts';

/** The least lead of the PCR before DTS: 500 ms. */
const LEAST_LEAD_TICKS = 45_000;
const LONGEST_WAY_27 = TABLE_INTERVAL_TICKS * CLOCK_RATIO;

/** One PCR; `leadTicks` is how far (90 kHz, may be fractional) the DTS of the unit it comes with lies after it. */
export type ClockSample = {
  readonly index: number;
  readonly offset: number;
  readonly pcr27: number;
  readonly leadTicks: number | undefined;
  /** For a PCR that comes with no unit: how far the DTS of the next unit of any stream lies after it. */
  readonly nextLeadTicks: number | undefined;
};

/** The units of a segment: those of the stream that carries the PCR, and all. */
export type TimedUnits = { readonly own: readonly Pes[]; readonly all: readonly Pes[] };

/** Lists the PCRs of a segment and checks what can be said without knowing the lead of the others. */
export function readClock(
  packets: readonly TsPacket[],
  pcrPid: number,
  complain: Complain,
  { own, all }: TimedUnits,
): ClockSample[] {
  const unitAt = new Map(own.map((unit) => [unit.firstIndex, unit]));
  const inOrder = all.toSorted((a, b) => a.firstIndex - b.firstIndex);
  const samples: ClockSample[] = [];
  for (const { index, offset, pid, pcr27 } of packets) {
    if (pcr27 === undefined) continue;
    if (pid !== pcrPid) {
      complain('stream-types', offset, `PCR on PID ${pid}, PCR_PID is ${pcrPid}`);
      continue;
    }
    // The first PCR may come in a packet of its own, ahead of the first unit.
    const unit = unitAt.get(index) ?? (samples.length === 0 ? own[0] : undefined);
    const leadTicks = unit && leadOf(unit.dts ?? unit.pts, pcr27);
    const next = unit ? undefined : inOrder.find(({ firstIndex }) => firstIndex > index);
    const nextLeadTicks = next && leadOf(next.dts ?? next.pts, pcr27);
    samples.push({ index, offset, pcr27, leadTicks, nextLeadTicks });
  }
  checkRise(samples, complain);
  return samples;
}

function leadOf(dts: number, pcr27: number): number {
  return clockBetween(pcr27, dts * CLOCK_RATIO) / CLOCK_RATIO;
}

function checkRise(samples: readonly ClockSample[], complain: Complain): void {
  for (const [at, sample] of samples.entries()) {
    const before = samples[at - 1];
    if (!before) continue;
    const step = clockBetween(before.pcr27, sample.pcr27);
    if (step <= 0) complain('pcr-order', sample.offset, `PCR steps by ${step} of 27 MHz`);
    if (step > LONGEST_WAY_27) {
      complain('pcr-interval', sample.offset, `${step / 27_000} ms since the PCR before`);
    }
  }
}

/** Checks that the last byte of every unit arrives before its DTS. */
export function checkArrival(
  units: readonly Pes[],
  clock: readonly ClockSample[],
  complain: Complain,
): void {
  for (const unit of units) {
    const latest = clock.findLast((sample) => sample.index <= unit.lastIndex);
    if (!latest) continue;
    const lead = leadOf(unit.dts ?? unit.pts, latest.pcr27);
    if (lead <= 0) complain('pcr-after-dts', unit.offset, `PCR is ${-lead} ticks past DTS`);
  }
}

/** Checks the PCRs of a segment that starts at PTS `start` against the recording's `lead`, in ticks. */
export function checkLead(
  clock: readonly ClockSample[],
  { start, lead }: { start: number; lead: number | undefined },
  complain: Complain,
): void {
  const [first, last] = [clock[0], clock.at(-1)];
  if (!first || !last || lead === undefined) {
    complain('pcr-interval', null, 'there is no PCR with the first picture or sound');
    return;
  }
  if (lead < LEAST_LEAD_TICKS) {
    complain('pcr-lead', first.offset, `the lead is ${lead} ticks, expected at least 45000`);
  }
  for (const sample of clock) {
    if (sample.leadTicks !== undefined && sample.leadTicks !== lead) {
      const message = `the lead is ${sample.leadTicks} ticks, elsewhere ${lead}`;
      complain('pcr-lead', sample.offset, message);
    }
  }
  for (const { nextLeadTicks, offset } of clock) {
    if (nextLeadTicks === undefined) continue;
    // Nothing that comes next is due before the PCR's own time, nor after the next PCR's.
    if (nextLeadTicks < lead || nextLeadTicks > lead + TABLE_INTERVAL_TICKS) {
      const message = `the next unit is due ${nextLeadTicks} ticks later, the lead is ${lead}`;
      complain('pcr-lead', offset, message);
    }
  }
  const startOfClock27 = wrapTicks(start - lead) * CLOCK_RATIO;
  const late27 = clockBetween(startOfClock27, first.pcr27);
  const rest27 = SEGMENT_TICKS * CLOCK_RATIO - clockBetween(startOfClock27, last.pcr27);
  if (late27 > LONGEST_WAY_27) {
    complain('pcr-interval', first.offset, `the first PCR comes ${late27 / 27_000} ms late`);
  }
  if (rest27 > LONGEST_WAY_27) {
    complain('pcr-interval', last.offset, `no PCR in the last ${rest27 / 27_000} ms`);
  }
}

/** Checks the ways between equal tables; a table's time is that of the first PCR at or after it. */
export function checkTableIntervals(
  tables: readonly TablePacket[],
  clock: readonly ClockSample[],
  complain: Complain,
): void {
  for (const name of ['PAT', 'PMT'] as const) {
    let before: number | undefined;
    for (const { packet } of tables.filter((table) => table.name === name)) {
      const time = clock.find((sample) => sample.index >= packet.index)?.pcr27;
      if (time === undefined) continue;
      const way = before === undefined ? 0 : clockBetween(before, time);
      if (way > LONGEST_WAY_27) {
        complain('psi-interval', packet.offset, `${way / 27_000} ms since the ${name} before`);
      }
      before = time;
    }
  }
}
