import type { RecordingState } from '../model/recording.ts';

/** Names of keys in Redis: the one place that spells them. */
export const redisKeys = {
  /** Hash: id, phase, when it was begun and last looked at. Missing when Redis was emptied. */
  generation: 'chalkreel:generation',
  /** Who brings Redis back, for as long as it lives. */
  rebuildLock: 'chalkreel:rebuild:lock',
  /** A list being brought back. */
  rebuildList: (token: string, id: string) => `chalkreel:rebuild:${token}:${id}`,
  /** Hash: json, version, progress. */
  recording: (id: string) => `chalkreel:recording:${id}`,
  /** Channel: each change of a recording, its version as message. */
  recordingChanged: (id: string) => `chalkreel:recording:${id}:changed`,
  /** Sorted sets of recording ids by time of creation. */
  recordings: 'chalkreel:recordings',
  recordingsInState: (state: RecordingState) => `chalkreel:recordings:state:${state}`,
  /** Sorted sets of recording ids by the time they expire, and of those being deleted, by when that began. */
  recordingsExpiring: 'chalkreel:recordings:expiring',
  recordingsDeleting: 'chalkreel:recordings:deleting',
  /** Sorted set of the ids of recordings with re-encodes that are not over, by when the oldest was asked for. */
  recordingsReencoding: 'chalkreel:recordings:reencoding',
  /** Channel: the id of each recording that has just ended. */
  recordingEnded: 'chalkreel:recordings:ended',
  /** Of a re-encode. Hash: what is counted of it; set of chunks that are in the counts; hash: who encodes which chunk, JSON. */
  reencodeCounts: (runId: string) => `chalkreel:reencode:${runId}`,
  reencodeDone: (runId: string) => `chalkreel:reencode:${runId}:done`,
  reencodeAtWork: (runId: string) => `chalkreel:reencode:${runId}:working`,
  /** A night of the batch, JSON; set of its runs, `<recording id>/<run id>`. The last date. */
  batchNight: (date: string) => `chalkreel:batch:night:${date}`,
  batchNightRuns: (date: string) => `chalkreel:batch:night:${date}:runs`,
  batchLastNight: 'chalkreel:batch:night',
  /** Hash: worker id → JSON of what it tells about itself, and when. */
  batchWorkers: 'chalkreel:batch:workers',
  /** Hash: kind of profile → encoder time for a ms of source. */
  batchCosts: 'chalkreel:batch:costs',
  /** Hash: what the batch has done since Redis was new. */
  batchTotals: 'chalkreel:batch:totals',
  recordingsOfExternalId: (externalId: string) => `chalkreel:recordings:external:${externalId}`,
  /** List: one JSON entry a segment, in order of number. */
  segments: (id: string) => `chalkreel:recording:${id}:segments`,
  /** Hash: last number, owner of the last entry, highest epoch of each lane, entries out of order. */
  segmentsHead: (id: string) => `chalkreel:recording:${id}:segments:head`,
  /** Channel: something has changed in the two above. The scripts of the index know it as the list's key with this ending. */
  segmentsChanged: (id: string) => `chalkreel:recording:${id}:segments:changed`,
  /** Hash: json, version. */
  highlight: (id: string) => `chalkreel:highlight:${id}`,
  highlightChanged: (id: string) => `chalkreel:highlight:${id}:changed`,
  /** Sorted sets of highlight ids by time of their trigger. */
  highlights: 'chalkreel:highlights',
  highlightsOfTeacher: (teacher: string) => `chalkreel:highlights:teacher:${teacher}`,
  highlightsOfParticipant: (id: string) => `chalkreel:highlights:participant:${id}`,
  highlightsOfTag: (tag: string) => `chalkreel:highlights:tag:${tag}`,
  highlightsOfRecording: (id: string) => `chalkreel:recording:${id}:highlights`,
  /** Hash: trigger id → highlight id, also of triggers that became part of another's highlight; outlives the highlight. */
  triggersOfRecording: (id: string) => `chalkreel:recording:${id}:triggers`,
  /** Sorted set of `<what was asked for>:<highlight id>` by time of the trigger: where double presses are found. */
  pressesOfRecording: (id: string) => `chalkreel:recording:${id}:presses`,
  /** Sorted set of the ids of highlights whose clip is still to be made, by time of their trigger. */
  pendingHighlights: 'chalkreel:highlights:pending',
  /** Sorted set of the ids of highlights that a viewer likes, by time of their trigger. */
  favouritesOfViewer: (viewerId: string) => `chalkreel:viewer:${viewerId}:favourites`,
  /** Hash: viewer id → when, Unix ms. */
  viewersOfHighlight: (id: string) => `chalkreel:highlight:${id}:viewers`,
  /** JSON. */
  share: (id: string) => `chalkreel:share:${id}`,
  /** Sorted set of share ids by time of creation. */
  sharesOf: (target: { kind: 'recording' | 'highlight'; targetId: string }) =>
    `chalkreel:${target.kind}:${target.targetId}:shares`,
  /** Sorted set of all share ids by time of expiry. */
  sharesByExpiry: 'chalkreel:shares:expiring',
  /** Sorted set of lanes (`<recording id>/<lane>`) that are to be made, by the time their leases expire; 0 for nobody's. */
  leases: 'chalkreel:leases',
  /** Sorted set of lanes whose owners would hand them over, by the time they said so. */
  leaseOffers: 'chalkreel:leases:offers',
  /** Hash: `seen`, when a worker last came by; `since`, since when they have without a break; `reconciled`. */
  leasesSeen: 'chalkreel:leases:seen',
  /** Sorted set of worker ids by the time at which they count as dead. */
  workers: 'chalkreel:workers',
  /** Hash: worker, epoch, from; next, nextEpoch, nextUntil; isReleased, isEnded, isClosed. */
  lease: (id: string, lane: number | string) => `chalkreel:recording:${id}:lease:${lane}`,
} as const;
