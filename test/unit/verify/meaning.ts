import type { Recording } from './fixture-recording.ts';
import { PACKET, payloadStart, pidOf, startsUnit } from './packets.ts';

/** What a player makes of a recording: playlist and elementary streams, as plain text and bytes that can be compared. */
export type Meaning = { readonly playlist: string; readonly streams: ReadonlyMap<string, Streams> };

/** Per PID: time stamps (their fields and flags) and payloads of the PES packets, in order. */
export type Streams = ReadonlyMap<number, readonly Unit[]>;
export type Unit = { readonly times: string; readonly payload: Buffer };

/** Reads a recording as leniently as a player would. */
export function meaningOf({ playlist, segments }: Recording): Meaning {
  const streams = new Map([...segments].map(([uri, bytes]) => [uri, readStreams(bytes)]));
  return { playlist: playlistMeaning(playlist), streams };
}

/** Whether two recordings play the same: only then is a mutation harmless. */
export function playsTheSame(one: Meaning, other: Meaning): boolean {
  if (one.playlist !== other.playlist) return false;
  return [...one.streams].every(([uri, streams]) => isSame(streams, other.streams.get(uri)));
}

/** Whether two recordings differ inside payloads only: playlist, PES packets and their times are the same. */
export function differsInPayloadOnly(one: Meaning, other: Meaning): boolean {
  const shapeOf = ({ streams, playlist }: Meaning) => {
    const units = [...streams].flatMap(([uri, pids]) =>
      [...pids].flatMap(([pid, list]) => list.map((unit) => `${uri} ${pid} ${unit.times}`)),
    );
    return [playlist, ...units].join('\n');
  };
  return shapeOf(one) === shapeOf(other);
}

function isSame(one: Streams, other: Streams | undefined): boolean {
  if (one.size !== other?.size) return false;
  return [...one].every(([pid, units]) => {
    const others = other.get(pid) ?? [];
    return (
      units.length === others.length &&
      units.every((unit, at) => {
        const counterpart = others[at];
        return counterpart?.times === unit.times && counterpart.payload.equals(unit.payload);
      })
    );
  });
}

/** Number, place, length, time and flags of each entry, and what holds for all. */
function playlistMeaning(text: string): string {
  const whole = (name: string) => new RegExp(`^#${name}:(\\S+)`, 'm').exec(text)?.[1] ?? '';
  let n = Number(whole('EXT-X-MEDIA-SEQUENCE'));
  let tags: string[] = [];
  const facts = [
    text.startsWith('#EXTM3U\n'),
    Number(whole('EXT-X-TARGETDURATION')),
    whole('EXT-X-PLAYLIST-TYPE'),
    /^#EXT-X-ENDLIST$/m.test(text),
  ].map(String);
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXTINF:')) tags.push(String(Number.parseFloat(line.slice(8))));
    else if (line.startsWith('#EXT-X-PROGRAM')) tags.push(String(Date.parse(line.slice(25))));
    else if (/^#EXT-X-(GAP|DISCONTINUITY)$/.test(line)) tags.push(line);
    else if (line !== '' && !line.startsWith('#')) {
      facts.push([n, line, ...tags].join(' '));
      n += 1;
      tags = [];
    }
  }
  return facts.join('\n');
}

/** Units of every PID with payload; tables are taken as they are. */
function readStreams(bytes: Buffer): Streams {
  const payloads = new Map<number, Buffer[][]>();
  for (let at = 0; at + PACKET <= bytes.length; at += PACKET) {
    const packet = bytes.subarray(at, at + PACKET);
    if (packet.readUInt8(0) !== 0x47 || pidOf(packet) === 0x1fff) continue;
    if ((packet.readUInt8(3) & 0x10) === 0) continue;
    const units = payloads.get(pidOf(packet)) ?? [];
    payloads.set(pidOf(packet), units);
    if (startsUnit(packet) || units.length === 0) units.push([]);
    units.at(-1)?.push(packet.subarray(Math.min(PACKET, payloadStart(packet))));
  }
  return new Map(
    [...payloads].map(([pid, units]) => [
      pid,
      units.map((parts) => readUnit(Buffer.concat(parts))),
    ]),
  );
}

/** Where PTS_DTS_flags stand; what comes before (priority, alignment, copyright) changes nothing that is shown. */
const PES_FLAGS = 7;

function readUnit(bytes: Buffer): Unit {
  const isPes = bytes.length > 9 && bytes.readUIntBE(0, 3) === 1;
  const start = isPes ? Math.min(bytes.length, 9 + bytes.readUInt8(8)) : 0;
  return {
    times: bytes.toString('hex', PES_FLAGS, Math.min(start, 19)),
    payload: bytes.subarray(start),
  };
}
