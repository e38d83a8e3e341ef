import { z } from 'zod';
import { RECORDING_MEDIA } from '../model/recording.ts';
import { SPAN_KINDS } from '../model/spans.ts';

/**
 * The guarded WebSocket between the recorder tab and the worker's Node process. Encoded media travels as
 * binary messages, everything else as JSON. Only the recorder tab can open it: loopback, Origin, one-time token.
 */

/** What the recorder tab is told when its capture is to start. */
export const recorderPageConfigSchema = z.object({
  linkUrl: z.string(),
  token: z.string(),
  media: z.enum(RECORDING_MEDIA),
  width: z.number().int(),
  height: z.number().int(),
  fps: z.number().int(),
  videoBitrate: z.number().int(),
  audioBitrate: z.number().int(),
  /** For tests and benches: sound is laid this much later than it should be, ms, and the report must notice. */
  soundSkewMs: z.number().min(-1000).max(1000),
});
export type RecorderPageConfig = z.infer<typeof recorderPageConfigSchema>;

/** Worker to tab. */
export type ToPage =
  /** Answer to a ping: this machine's CLOCK_MONOTONIC, and the offset from it to the fleet's clock, ms. */
  | {
      readonly type: 'pong';
      readonly pingedAt: number;
      readonly monotonicMs: number;
      readonly fleetOffsetMs: number;
    }
  /** Record from now on, beginning with the picture the tab shows. */
  | { readonly type: 'start' }
  /** Record up to this boundary, Unix ms, then end. */
  | { readonly type: 'stop'; readonly endMs: number };

/** How much later than its capture something lies on the grid, ms: mean of all, and of the last moments. Null before any. */
const latenessSchema = z.object({ meanMs: z.number(), recentMs: z.number() }).nullable();

const pictureStatsSchema = z.object({
  /** Frames the tab capture handed over. */
  captured: z.number(),
  /** Pictures encoded, fillers included. */
  encoded: z.number(),
  /** Fillers: the held picture encoded again. */
  repeated: z.number(),
  /** Frames that lost their slot to another, or came too late. */
  late: z.number(),
  /** Frames dropped before encoding because CPU or socket fell behind. */
  dropped: z.number(),
  emptySlots: z.number(),
  /** Present phase of the slots, in slots. */
  phase: z.number(),
  /** Most pictures that waited for the encoder. */
  encodeQueueMax: z.number(),
  pictureLateness: latenessSchema,
});
export type PictureStats = z.infer<typeof pictureStatsSchema>;

/** Before the first picture, and where none is kept. */
export const NO_PICTURES: PictureStats = {
  captured: 0,
  encoded: 0,
  repeated: 0,
  late: 0,
  dropped: 0,
  emptySlots: 0,
  phase: 0,
  encodeQueueMax: 0,
  pictureLateness: null,
};

const soundStatsSchema = z.object({
  audioInserted: z.number(),
  audioDropped: z.number(),
  audioStretched: z.number(),
  audioJumps: z.number(),
  soundLateness: latenessSchema,
  /** Null while nothing was above −70 LUFS. */
  integratedLufs: z.number().nullable(),
  /** Sound that counted in it. */
  loudnessMs: z.number(),
  /** Null while there was no sound but zeros. */
  truePeakDbtp: z.number().nullable(),
});
export type SoundStats = z.infer<typeof soundStatsSchema>;

const captureStatsSchema = z.object({
  ...pictureStatsSchema.shape,
  ...soundStatsSchema.shape,
  /** Most bytes that waited in the socket. */
  socketQueueMaxBytes: z.number(),
});
export type CaptureStats = z.infer<typeof captureStatsSchema>;

/** Tab to worker. */
export const fromPageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ping'), pingedAt: z.number() }),
  /** Capture and encoders run and the picture has the right size. */
  z.object({ type: z.literal('ready'), sampleRate: z.number() }),
  /** Recording began: the boundary at which segment 0 starts, and the time of the first picture, Unix ms. */
  z.object({ type: z.literal('origin'), originMs: z.number().int(), firstFrameMs: z.number() }),
  z.object({ type: z.literal('stats'), stats: captureStatsSchema }),
  /** A span in the recorded picture or sound began (`endMs` null) or ended; Unix ms. Its start names it. */
  z.object({
    type: z.literal('span'),
    kind: z.enum(SPAN_KINDS).exclude(['frozen']),
    startMs: z.number(),
    endMs: z.number().nullable(),
  }),
  /** Everything up to the asked end was sent. */
  z.object({ type: z.literal('ended'), stats: captureStatsSchema }),
  z.object({ type: z.literal('failed'), code: z.string(), message: z.string() }),
]);
export type FromPage = z.infer<typeof fromPageSchema>;

/** One encoded picture or AAC frame with its place on the grid. */
export type MediaMessage = {
  readonly kind: 'video' | 'audio';
  readonly isKey: boolean;
  /** Segment, counted from the origin's. */
  readonly n: number;
  /** Video: slot in the segment. Sound: AAC frame in the segment, 0 to 74. */
  readonly index: number;
  /** Annex B access unit, or raw AAC frame. */
  readonly data: Uint8Array;
};

const HEADER_BYTES = 8;

/** Layout: u8 kind (1 video, 2 audio), u8 flags (1 = key), u16 index, u32 segment, big endian, then the data. */
export function writeMediaMessage(message: MediaMessage): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + message.data.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, message.kind === 'video' ? 1 : 2);
  view.setUint8(1, message.isKey ? 1 : 0);
  view.setUint16(2, message.index);
  view.setUint32(4, message.n);
  bytes.set(message.data, HEADER_BYTES);
  return bytes;
}

/** Throws a RangeError when the message is too short or of an unknown kind. */
export function parseMediaMessage(bytes: Uint8Array): MediaMessage {
  if (bytes.length <= HEADER_BYTES) {
    throw new RangeError(
      `media message of ${bytes.length} bytes, expected more than ${HEADER_BYTES}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view.getUint8(0);
  if (kind !== 1 && kind !== 2)
    throw new RangeError(`media message of kind ${kind}, expected 1 or 2`);
  return {
    kind: kind === 1 ? 'video' : 'audio',
    isKey: view.getUint8(1) === 1,
    index: view.getUint16(2),
    n: view.getUint32(4),
    data: bytes.subarray(HEADER_BYTES),
  };
}
