import { createHash } from 'node:crypto';
import { readAudioUnits, type AudioUnit } from './audio/adts.ts';
import type { Complain } from './findings.ts';
import {
  checkArrival,
  checkTableIntervals,
  readClock,
  type ClockSample,
} from './transport/clock.ts';
import { checkCounters } from './transport/counters.ts';
import { NULL_PID, readPackets, type TsPacket } from './transport/packet.ts';
import { readPesPackets, type Pes } from './transport/pes.ts';
import { PAT_PID, readProgramme } from './transport/tables.ts';
import { readPictures, type Pictures } from './video/pictures.ts';

/** What one segment holds, payloads left out, for the checks that need to know its neighbours. */
export type SegmentFacts = {
  readonly bytes: number;
  readonly clock: readonly ClockSample[];
  readonly tablesKey: string;
  readonly pictures: Pictures | undefined;
  readonly audio: readonly AudioUnit[];
  /** adts_fixed_header() of the first frame; undefined where there is none. */
  readonly audioKey: number | undefined;
  /** SHA-256 of elementary streams and time stamps. */
  readonly sha256: string;
};

/** Reads one segment and checks all that can be checked without its neighbours; undefined when its tables cannot be read. */
export function readSegment(bytes: Uint8Array, complain: Complain): SegmentFacts | undefined {
  const packets = readPackets(bytes, complain);
  checkCounters(packets, complain);
  const programme = readProgramme(packets, complain);
  if (!programme) return undefined;
  const unitsOf = (pid: number | undefined, kind: 'video' | 'audio'): Pes[] =>
    readPesPackets(
      packets.filter((packet) => packet.pid === pid),
      kind,
      complain,
    );
  const video = unitsOf(programme.videoPid, 'video');
  const audio = unitsOf(programme.audioPid, 'audio');
  const timed = programme.videoPid === undefined ? audio : video;
  const all = [...video, ...audio];
  const clock = readClock(packets, programme.pcrPid, complain, { own: timed, all });
  checkArrival(all, clock, complain);
  checkFirstUnit(
    packets,
    { tables: [PAT_PID, programme.pmtPid, NULL_PID], first: timed[0] },
    complain,
  );
  checkTableIntervals(programme.tables, clock, complain);
  return {
    bytes: bytes.length,
    clock,
    tablesKey: programme.key,
    pictures: programme.videoPid === undefined ? undefined : readPictures(video, complain),
    ...readAudioUnits(audio, complain),
    sha256: digest({ video, audio }),
  };
}

/** The first payload of a stream is the IDR picture's, or the first sound's where there is no video: nothing for a player to skip. */
function checkFirstUnit(
  packets: readonly TsPacket[],
  { tables, first }: { readonly tables: readonly number[]; readonly first: Pes | undefined },
  complain: Complain,
): void {
  const packet = packets.find(({ pid, hasPayload }) => hasPayload && !tables.includes(pid));
  if (!packet || !first || packet.index === first.firstIndex) return;
  complain('idr-first', packet.offset, `PID ${packet.pid} follows the tables, not the first unit`);
}

function digest(streams: Record<string, Pes[]>): string {
  const hash = createHash('sha256');
  for (const [name, units] of Object.entries(streams)) {
    for (const { pts, dts, payload } of units) {
      hash.update(`${name} ${pts} ${dts ?? pts} ${payload.length}\n`).update(payload);
    }
  }
  return hash.digest('hex');
}
