/** Names of objects in the store: the one place that spells them. */
export const objectKeys = {
  recording: (id: string) => `recordings/${id}/recording.json`,
  recordingFolder: (id: string) => `recordings/${id}/`,
  /** Immutable: named by number, lane and epoch. */
  segment: (id: string, s: { n: number; lane: number; epoch: number }) =>
    `recordings/${id}/segments/${String(s.n).padStart(6, '0')}-${s.lane}-${s.epoch}.ts`,
  /** The final playlist, beside the segments' folder, so that it plays from disk. */
  playlist: (id: string) => `recordings/${id}/index.m3u8`,
  report: (id: string) => `recordings/${id}/report.json`,
  highlight: (id: string) => `highlights/${id}/highlight.json`,
  highlightFolder: (id: string) => `highlights/${id}/`,
  clipMp4: (id: string) => `highlights/${id}/clip.mp4`,
  clipPoster: (id: string) => `highlights/${id}/poster.jpg`,
} as const;
