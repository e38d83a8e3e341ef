import type { RecordingState } from '../model/recording.ts';

/** Names of keys in Redis: the one place that spells them. */
export const redisKeys = {
  /** Hash: json, version, progress. */
  recording: (id: string) => `chalkreel:recording:${id}`,
  /** Channel: each change of a recording, its version as message. */
  recordingChanged: (id: string) => `chalkreel:recording:${id}:changed`,
  /** Sorted sets of recording ids by time of creation. */
  recordings: 'chalkreel:recordings',
  recordingsInState: (state: RecordingState) => `chalkreel:recordings:state:${state}`,
  recordingsOfExternalId: (externalId: string) => `chalkreel:recordings:external:${externalId}`,
  /** List: one JSON entry a segment, in order of number. */
  segments: (id: string) => `chalkreel:recording:${id}:segments`,
  /** Hash: last number, owner of the last entry, highest epoch of each lane, entries out of order. */
  segmentsHead: (id: string) => `chalkreel:recording:${id}:segments:head`,
  /** Hash: json, version. */
  highlight: (id: string) => `chalkreel:highlight:${id}`,
  highlightChanged: (id: string) => `chalkreel:highlight:${id}:changed`,
  /** Sorted set of a recording's highlight ids by time of creation. */
  highlightsOfRecording: (id: string) => `chalkreel:recording:${id}:highlights`,
  /** Hash: trigger id → highlight id. */
  triggersOfRecording: (id: string) => `chalkreel:recording:${id}:triggers`,
} as const;
