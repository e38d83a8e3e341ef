import { describe, expect, it } from 'vitest';
import {
  builtInProfiles,
  operatorProfileSchema,
  reencodeProfileSchema,
  reencodeRequestSchema,
} from '../../../src/protocol/reencode.ts';

const video = { codec: 'avc', height: 720 };

function complaint(profile: unknown): string {
  const result = reencodeProfileSchema.safeParse(profile);
  const [issue] = result.error?.issues ?? [];
  return issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`;
}

describe('a profile', () => {
  it('of the ladder is there for every codec and size, and for sound', () => {
    const names = builtInProfiles().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining(['avc-240p', 'avc-720p-ts', 'hevc-480p', 'av1-1080p-hls', 'audio']),
    );
  });

  it('takes settings of its encoder by name, and no others', () => {
    const good = {
      name: 'mine',
      video: { ...video, encoderArgs: { 'aq-mode': '3', deblock: '-1,-1' } },
    };
    expect(complaint(good)).toBe('');
    for (const name of ['stats', 'keyint', 'threads', 'stitchable', 'opencl-clbin', 'dump-yuv']) {
      const profile = { name: 'mine', video: { ...video, encoderArgs: { [name]: '1' } } };
      expect(complaint(profile)).toMatch(new RegExp(`^video.encoderArgs.${name}: expected one of`));
    }
  });

  it.each(['1:stats=x', '/etc/passwd', '../x', "a'b", 'a b', '', '$(x)'])(
    'takes no value that could be more than one: %j',
    (value) => {
      const profile = { name: 'mine', video: { ...video, encoderArgs: { me: value } } };
      expect(complaint(profile)).toMatch(/^video.encoderArgs.me: /);
    },
  );

  it('names a program in the settings of the operator only', () => {
    const profile = { name: 'mine', video, ffmpeg: '/opt/ffmpeg' };
    expect(complaint(profile)).toMatch(/ffmpeg/);
    expect(reencodeRequestSchema.safeParse({ profiles: [profile] }).success).toBe(false);
    expect(operatorProfileSchema.parse(profile).ffmpeg).toBe('/opt/ffmpeg');
  });

  it('is refused where it cannot be made', () => {
    expect(complaint({ name: 'Not/a name', video })).toMatch(/^name: expected/);
    expect(complaint({ name: 'a', video: { ...video, preset: 'placebo' } })).toMatch(
      /^video.preset/,
    );
    expect(complaint({ name: 'a', video: { ...video, crf: 60 } })).toMatch(/^video.crf: .*51/);
    expect(
      complaint({ name: 'a', video: { ...video, gopSegments: 4, maxGopSegments: 2 } }),
    ).toMatch(/^video.maxGopSegments/);
    const hevc = { name: 'a', video: { codec: 'hevc', height: 720 }, outputs: ['hls-ts'] };
    expect(complaint(hevc)).toBe('outputs: expected hls-ts with avc only: use hls-cmaf');
  });
});
