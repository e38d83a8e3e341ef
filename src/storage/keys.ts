/** Names of objects in the store: the one place that spells them. */
export const objectKeys = {
  recording: (id: string) => `recordings/${id}/recording.json`,
  recordingFolder: (id: string) => `recordings/${id}/`,
  recordings: 'recordings/',
  /** Empty; there for as long as the recording is not over, so that what is open is found among all that is not. */
  openRecording: (id: string) => `open/recordings/${id}`,
  openRecordings: 'open/recordings/',
  segments: (id: string) => `recordings/${id}/segments/`,
  /** The order of its segments, part by part; never changed. */
  journal: (id: string, j: { seq: number; from: number }) =>
    `recordings/${id}/journal/${String(j.seq).padStart(6, '0')}-${String(j.from).padStart(6, '0')}.json`,
  journals: (id: string) => `recordings/${id}/journal/`,
  /** Empty; names a highlight of the recording once it is not open any more, for as long as there is the highlight. */
  highlightOf: (recordingId: string, id: string) => `highlights-of/${recordingId}/${id}`,
  highlightsOf: (recordingId: string) => `highlights-of/${recordingId}/`,
  /** Where these were before; gone with the recording. */
  formerHighlightsOf: (recordingId: string) => `recordings/${recordingId}/highlights/`,
  /** Of the nightly batch. */
  archiveFolder: (id: string) => `archive/${id}/`,
  /** Chunks on their way into a re-encode; gone when it is there. */
  archiveChunks: (id: string, profile: string) => `archive/${id}/chunks/${profile}/`,
  /** What came of samples that settings were tried on. */
  archiveProbes: (id: string) => `archive/${id}/probes/`,
  archiveProfiles: (id: string) => `archive/${id}/profiles/`,
  archiveProfile: (id: string, profile: string) => `archive/${id}/profiles/${profile}/`,
  /** Replaced in one step; names everything else of its folder that counts. */
  archiveManifest: (id: string, profile: string) =>
    `archive/${id}/profiles/${profile}/manifest.json`,
  /** Immutable: named by number, lane and epoch. */
  segment: (id: string, s: { n: number; lane: number; epoch: number }) =>
    `recordings/${id}/segments/${String(s.n).padStart(6, '0')}-${s.lane}-${s.epoch}.ts`,
  /** The final playlist, beside the segments' folder, so that it plays from disk. */
  playlist: (id: string) => `recordings/${id}/index.m3u8`,
  report: (id: string) => `recordings/${id}/report.json`,
  /** What happened in the class; written at the end. */
  events: (id: string) => `recordings/${id}/events.jsonl`,
  /** Until then: what each worker heard, by the number of its first line and how many there are. */
  eventChunk: (id: string, c: { lane: number; epoch: number; from: number; count: number }) =>
    `recordings/${id}/events/${c.lane}-${c.epoch}-${String(c.from).padStart(8, '0')}-${c.count}.jsonl`,
  eventChunks: (id: string) => `recordings/${id}/events/`,
  highlight: (id: string) => `highlights/${id}/highlight.json`,
  highlights: 'highlights/',
  /** There while the clip is still to be made: the highlight as it was created, which counts until there is a `highlight.json`. */
  openHighlight: (id: string) => `open/highlights/${id}`,
  openHighlights: 'open/highlights/',
  highlightFolder: (id: string) => `highlights/${id}/`,
  clipMp4: (id: string) => `highlights/${id}/clip.mp4`,
  clipPoster: (id: string) => `highlights/${id}/poster.jpg`,
  favourites: (id: string) => `highlights/${id}/favourites/`,
  favourite: (id: string, viewerDigest: string) =>
    `highlights/${id}/favourites/${viewerDigest}.json`,
  sharesOf: (target: { kind: 'recording' | 'highlight'; targetId: string }) =>
    `${target.kind}s/${target.targetId}/shares/`,
  /** Beside what it is for, and gone with it. */
  share: (s: { kind: 'recording' | 'highlight'; targetId: string; id: string }) =>
    `${s.kind}s/${s.targetId}/shares/${s.id}.json`,
} as const;
