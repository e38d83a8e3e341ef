import { AAC_FRAME_SAMPLES } from '../../../src/model/grid.ts';
import { linesOf, miscount, runTool } from './program.ts';
import type { Stretch, Subject } from './stretch.ts';

type Track = Readonly<Record<string, unknown>>;

/** Fields that must read like this in every recording; mediainfo's own names. */
const VIDEO: Readonly<Record<string, string>> = {
  Format: 'AVC',
  PixelAspectRatio: '1.000',
  ChromaSubsampling: '4:2:0',
  ScanType: 'Progressive',
  colour_range: 'Limited',
  colour_primaries: 'BT.709',
  transfer_characteristics: 'BT.709',
  matrix_coefficients: 'BT.709',
};
const AUDIO: Readonly<Record<string, string>> = {
  Format: 'AAC',
  Format_AdditionalFeatures: 'LC',
  MuxingMode: 'ADTS',
  Channels: '2',
  SamplingRate: '48000',
};

/** mediainfo's complaints: fields that do not read as design.md has them, and anything it calls an error. */
export async function runMediainfo({ stretches }: Subject): Promise<string[]> {
  const complaints: string[] = [];
  for (const stretch of stretches) complaints.push(...(await inspect(stretch)));
  return complaints;
}

async function inspect({ file, pictures, audioFrames }: Stretch): Promise<string[]> {
  const { exitCode, output } = await runTool('mediainfo', ['--Output=JSON', file]);
  if (exitCode !== 0) return [`ends with ${exitCode}: ${output}`];
  const { media } = JSON.parse(output) as { media: { track: readonly Track[] } };
  const ofType = (type: string) => media.track.filter((track) => track['@type'] === type);
  const [videos, audios] = [ofType('Video'), ofType('Audio')];
  return [
    ...miscount('video tracks', videos.length, pictures > 0 ? 1 : 0),
    ...miscount('audio tracks', audios.length, 1),
    ...videos.flatMap((track) => differences(track, VIDEO)),
    ...audios.flatMap((track) => differences(track, AUDIO)),
    ...audios.flatMap((track) =>
      miscount('samples', Number(track.SamplingCount), audioFrames * AAC_FRAME_SAMPLES),
    ),
    // Newer versions list what is not conforming under "ConformanceErrors"; older ones know "IsTruncated".
    ...(/Conformance|IsTruncated/.exec(output) ?? []).map((word) => `reports ${word}`),
  ];
}

function differences(track: Track, expected: Readonly<Record<string, string>>): string[] {
  return Object.entries(expected).flatMap(([field, value]) => {
    const read = typeof track[field] === 'string' ? track[field] : 'nothing';
    return read === value ? [] : [`${field} reads ${read}, expected ${value}`];
  });
}

/** The version of the mediainfo that is installed. */
export async function mediainfoVersion(): Promise<string> {
  const { output } = await runTool('mediainfo', ['--Version']);
  return /v([\d.]+)/.exec(output)?.[1] ?? linesOf(output)[0] ?? 'unknown';
}
