import { z } from 'zod';
import {
  REENCODE_CODECS,
  REENCODE_HEIGHTS,
  REENCODE_OUTPUTS,
  type ReencodeCodec,
  type ReencodeProfile,
} from '../model/reencode.ts';

/** A longer GOP makes seeking slow: 16 s. */
const MAX_GOP_SEGMENTS = 10;
const MAX_THREADS = 16;
/** Profiles one request may name. */
const MAX_PROFILES = 16;

/**
 * Settings of the encoders that a profile may change, by the encoders' own names: those that trade time, bits and looks. None of them
 * names a file, changes times or the structure of GOPs, or makes the output depend on the machine.
 */
export const ENCODER_ARGS: Readonly<Record<ReencodeCodec, readonly string[]>> = {
  avc: [
    ...['aq-mode', 'aq-strength', 'b-adapt', 'b-bias', 'bframes', 'b-pyramid', 'chroma-qp-offset'],
    ...['deadzone-inter', 'deadzone-intra', 'deblock', 'direct', 'me', 'merange', 'mixed-refs'],
    ...['nr', 'partitions', 'psy-rd', 'qcomp', 'qpmax', 'qpmin', 'rc-lookahead', 'ref', 'subme'],
    ...['trellis', 'weightb', 'weightp', '8x8dct', 'cabac'],
  ],
  hevc: [
    ...['aq-mode', 'aq-strength', 'b-adapt', 'bframes', 'b-intra', 'cbqpoffs', 'crqpoffs', 'ctu'],
    ...['cutree', 'deblock', 'early-skip', 'limit-modes', 'limit-refs', 'max-merge', 'me'],
    ...['merange', 'psy-rd', 'psy-rdoq', 'qcomp', 'qpmax', 'qpmin', 'rc-lookahead', 'rd', 'rect'],
    ...['amp', 'rdoq-level', 'ref', 'sao', 'strong-intra-smoothing', 'subme', 'tu-inter-depth'],
    ...['tu-intra-depth', 'weightb', 'weightp'],
  ],
  av1: [
    ...['enable-cdef', 'enable-dlf', 'enable-overlays', 'enable-qm', 'enable-restoration'],
    ...['enable-tf', 'film-grain', 'film-grain-denoise', 'lookahead', 'qm-max', 'qm-min', 'scm'],
    ...['tune'],
  ],
};

const PRESETS: Readonly<Record<ReencodeCodec, RegExp>> = {
  avc: /^(ultrafast|superfast|veryfast|faster|fast|medium|slow|slower|veryslow)$/,
  hevc: /^(ultrafast|superfast|veryfast|faster|fast|medium|slow|slower|veryslow)$/,
  av1: /^(\d|1[0-3])$/,
};
const DEFAULT_PRESET: Readonly<Record<ReencodeCodec, string>> = {
  avc: 'medium',
  hevc: 'fast',
  av1: '8',
};
/** Coarsest CRF there is. */
const MAX_CRF: Readonly<Record<ReencodeCodec, number>> = { avc: 51, hevc: 51, av1: 63 };

const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,47}$/, 'expected 1 to 48 lower-case letters, digits and dashes');

/** No separator of the encoders' own lists, no path. */
const argValueSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9.,+-]{0,31}$|^-\d[0-9.,-]{0,15}$/, 'expected a number or a word');

/** By default SSIM 0.99, and 0.96 for the worst picture: below that rings show around text. */
const qualitySchema = z.strictObject({
  ssimDb: z.number().min(5).max(40).default(20),
  worstFrameDb: z.number().min(3).max(40).default(14),
});

const videoSchema = z
  .strictObject({
    codec: z.enum(REENCODE_CODECS, `expected one of ${REENCODE_CODECS.join(', ')}`),
    height: z.number().int().min(64).max(2160).multipleOf(2, 'expected an even number of pixels'),
    mayUpscale: z.boolean().default(false),
    preset: z.string().optional(),
    threads: z.number().int().min(1).max(MAX_THREADS).default(1),
    gopSegments: z.number().int().min(1).max(MAX_GOP_SEGMENTS).default(2),
    maxGopSegments: z.number().int().min(1).max(MAX_GOP_SEGMENTS).optional(),
    crf: z.number().min(0).max(63).nullable().default(null),
    quality: qualitySchema.prefault({}),
    encoderArgs: z.record(z.string(), argValueSchema).default({}),
  })
  .transform(({ preset, maxGopSegments, ...video }) => ({
    ...video,
    preset: preset ?? DEFAULT_PRESET[video.codec],
    maxGopSegments: maxGopSegments ?? Math.max(video.gopSegments, 4),
  }))
  .superRefine((video, context) => {
    const complain = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    const { codec } = video;
    if (!PRESETS[codec].test(video.preset)) {
      complain(['preset'], `expected a preset of the encoder of ${codec}`);
    }
    if (video.crf !== null && video.crf > MAX_CRF[codec]) {
      complain(['crf'], `expected at most ${MAX_CRF[codec]} for ${codec}`);
    }
    if (video.maxGopSegments < video.gopSegments) {
      complain(['maxGopSegments'], `expected at least gopSegments, ${video.gopSegments}`);
    }
    for (const name of Object.keys(video.encoderArgs)) {
      if (ENCODER_ARGS[codec].includes(name)) continue;
      complain(
        ['encoderArgs', name],
        `expected one of ${ENCODER_ARGS[codec].join(', ')} for ${codec}`,
      );
    }
  });

const audioSchema = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('copy') }),
    z.strictObject({
      mode: z.literal('encode'),
      bitrate: z.number().int().min(16_000).max(320_000),
    }),
  ])
  .default({ mode: 'copy' });

const profileFields = {
  name: nameSchema,
  /** Null: sound alone. */
  video: videoSchema.nullable(),
  audio: audioSchema,
  outputs: z
    .array(z.enum(REENCODE_OUTPUTS, `expected some of ${REENCODE_OUTPUTS.join(', ')}`))
    .min(1)
    .max(REENCODE_OUTPUTS.length)
    .default(['mp4']),
};

type Outputs = Pick<ReencodeProfile, 'video' | 'outputs'>;

const isTsOfAvc = ({ video, outputs }: Outputs): boolean =>
  !outputs.includes('hls-ts') || video === null || video.codec === 'avc';
const TS_OF_AVC = { path: ['outputs'], error: 'expected hls-ts with avc only: use hls-cmaf' };

/** A profile as a request may define it: nothing in it names a program or a file. */
export const reencodeProfileSchema = z
  .strictObject(profileFields)
  .refine(isTsOfAvc, TS_OF_AVC) satisfies z.ZodType<ReencodeProfile, unknown>;

/** A profile as the operator may define it, in the file that CHALKREEL_REENCODE_PROFILES names: with a path to an ffmpeg of one's own. */
export const operatorProfileSchema = z
  .strictObject({ ...profileFields, ffmpeg: z.string().min(1).optional() })
  .refine(isTsOfAvc, TS_OF_AVC) satisfies z.ZodType<ReencodeProfile, unknown>;

/** Body of POST /v1/recordings/:id/reencode: names of known profiles, or profiles of one's own; without any, those of the night. */
export const reencodeRequestSchema = z.strictObject({
  profiles: z
    .array(z.union([nameSchema, reencodeProfileSchema]))
    .min(1)
    .max(MAX_PROFILES)
    .optional(),
  /** Also where there is a re-encode of the recording as it is. */
  force: z.boolean().default(false),
});
export type ReencodeRequest = z.infer<typeof reencodeRequestSchema>;

/**
 * The profiles that are always there, by name: `avc-240p` to `av1-1080p`, and `audio`. An output is added by `-hls` (CMAF) or, for AVC,
 * `-ts` behind the name.
 */
export function builtInProfiles(): readonly ReencodeProfile[] {
  const pictures = REENCODE_CODECS.flatMap((codec) =>
    REENCODE_HEIGHTS.flatMap((height) => {
      const name = `${codec}-${height}p`;
      const video = { codec, height };
      return [
        { name, video, outputs: ['mp4'] },
        { name: `${name}-hls`, video, outputs: ['mp4', 'hls-cmaf'] },
        ...(codec === 'avc' ? [{ name: `${name}-ts`, video, outputs: ['mp4', 'hls-ts'] }] : []),
      ];
    }),
  );
  const sound = [
    { name: 'audio', video: null, outputs: ['mp4'] },
    { name: 'audio-hls', video: null, outputs: ['mp4', 'hls-cmaf'] },
  ];
  return [...pictures, ...sound].map((profile) => reencodeProfileSchema.parse(profile));
}
