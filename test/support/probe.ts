import { runProgram } from './programs.ts';

export type ProbedStream = {
  readonly index: number;
  readonly codec_type: 'video' | 'audio' | 'data' | 'subtitle';
  readonly codec_name: string;
  readonly profile?: string;
  readonly width?: number;
  readonly height?: number;
  readonly pix_fmt?: string;
  readonly color_range?: string;
  readonly color_space?: string;
  readonly sample_rate?: string;
  readonly channels?: number;
  readonly start_time?: string;
  readonly duration?: string;
  readonly nb_read_packets?: string;
};
export type ProbedPacket = {
  readonly codec_type: 'video' | 'audio';
  readonly pts: number;
  readonly pts_time: string;
  readonly dts: number;
  readonly duration?: number;
  readonly size: string;
  readonly flags: string;
};
export type Probed = {
  readonly streams: readonly ProbedStream[];
  readonly format: { readonly format_name: string; readonly duration?: string };
};

/** What ffprobe says of a file or playlist: its streams and format, fields under ffprobe's own names. */
export async function probeMedia(path: string): Promise<Probed> {
  return (await ffprobe(path, ['-show_streams', '-show_format'])) as Probed;
}

/** Every packet in the order of the file, times in the stream's own ticks. */
export async function probePackets(path: string): Promise<readonly ProbedPacket[]> {
  return ((await ffprobe(path, ['-show_packets'])) as { packets: ProbedPacket[] }).packets;
}

async function ffprobe(path: string, what: readonly string[]): Promise<unknown> {
  const args = ['-v', 'error', '-allowed_extensions', 'ALL', ...what, '-of', 'json', path];
  // The option belongs to the HLS reader; others refuse it.
  const fitting = path.endsWith('.m3u8') ? args : args.filter((a) => !/allowed|^ALL$/.test(a));
  return JSON.parse((await runProgram('ffprobe', fitting)).stdout.toString('utf8')) as unknown;
}
