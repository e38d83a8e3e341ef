import type { Complain } from '../findings.ts';
import { NULL_PID, type TsPacket } from './packet.ts';

/** Design's promise that makes counters run on between any two segments. */
const PAYLOAD_PACKETS_MULTIPLE = 16;

/** Checks the continuity counters of every PID of one segment (ISO/IEC 13818-1 §2.4.3.3). */
export function checkCounters(packets: readonly TsPacket[], complain: Complain): void {
  const payloadPackets = new Map<number, number>();
  const previous = new Map<number, number>();
  for (const packet of packets) {
    if (packet.pid === NULL_PID) continue;
    checkStep(packet, previous.get(packet.pid), complain);
    previous.set(packet.pid, packet.counter);
    const seen = payloadPackets.get(packet.pid) ?? 0;
    payloadPackets.set(packet.pid, seen + (packet.hasPayload ? 1 : 0));
  }
  for (const [pid, count] of payloadPackets) {
    if (count % PAYLOAD_PACKETS_MULTIPLE !== 0) {
      complain('counter-multiple', null, `PID ${pid} has ${count} payload packets`);
    }
  }
}

function checkStep(packet: TsPacket, previous: number | undefined, complain: Complain): void {
  // Before the first payload packet the counter is where the segment before left it: at 15.
  const expected = ((previous ?? 15) + (packet.hasPayload ? 1 : 0)) % 16;
  if (packet.counter === expected) return;
  const rule = previous === undefined ? 'counter-start' : 'counter-step';
  complain(rule, packet.offset, `PID ${packet.pid} has ${packet.counter}, expected ${expected}`);
}
