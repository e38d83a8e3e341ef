import type { Recording } from './fixture-recording.ts';
import { editPackets } from './packets.ts';

/** A whole number from 0 to below `limit`. */
export type Random = (limit: number) => number;

/** A repeatable source of numbers (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** `uri` is the segment that was spoilt, undefined for the playlist. */
export type Mutation = {
  readonly what: string;
  readonly uri?: string;
  readonly recording: Recording;
};

/** Spoils one thing at random: drops, swaps, flips a bit of or duplicates a packet, or edits a number of the playlist. */
export function mutate(recording: Recording, random: Random): Mutation {
  const kind = random(5);
  if (kind === 4) return editNumber(recording, random);
  const uris = [...recording.segments.keys()];
  const uri = uris[random(uris.length)] ?? '';
  let what = '';
  const mutated = editPackets(recording, uri, (packets) => {
    const at = random(packets.length);
    const packet = packets[at] ?? Buffer.alloc(0);
    if (kind === 0) {
      what = `drop packet ${at}`;
      return packets.filter((_, index) => index !== at);
    }
    if (kind === 1) {
      const other = random(packets.length);
      what = `swap packets ${at} and ${other}`;
      return packets.with(at, packets[other] ?? packet).with(other, packet);
    }
    if (kind === 2) {
      const [byte, bit] = [random(packet.length), random(8)];
      what = `flip bit ${bit} of byte ${byte} of packet ${at}`;
      packet.writeUInt8(packet.readUInt8(byte) ^ (1 << bit), byte);
      return packets;
    }
    what = `duplicate packet ${at}`;
    return packets.toSpliced(at, 0, packet);
  });
  return { what: `${uri}: ${what}`, uri, recording: mutated };
}

/** Adds 1 to 9 to a digit, modulo 10. */
function editNumber({ playlist, segments }: Recording, random: Random): Mutation {
  const places = [...playlist.matchAll(/\d/g)].map(({ index }) => index);
  const at = places[random(places.length)] ?? 0;
  const digit = (Number(playlist[at]) + 1 + random(9)) % 10;
  const edited = `${playlist.slice(0, at)}${digit}${playlist.slice(at + 1)}`;
  return { what: `playlist: ${digit} at ${at}`, recording: { playlist: edited, segments } };
}
