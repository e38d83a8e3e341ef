/** A lane of a recording. */
export type LaneRef = { readonly recordingId: string; readonly lane: number };

/** A lane as the leases in Redis name it. */
export function refOf({ recordingId, lane }: LaneRef): string {
  return `${recordingId}/${lane}`;
}

/** What `refOf` wrote. */
export function parseRef(ref: string): LaneRef {
  const at = ref.lastIndexOf('/');
  return { recordingId: ref.slice(0, at), lane: Number(ref.slice(at + 1)) };
}
