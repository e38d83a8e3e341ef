import { expect, test } from 'vitest';
import { testDefects, written, type Defect } from './defects.ts';
import { rulesOf, verifyRecording, type Recording } from './fixture-recording.ts';

const PLAYLIST: readonly Defect[] = [
  ['the playlist has no header', ['playlist-syntax'], () => written('#EXTM3U\n', '')],
  [
    'a tag comes twice',
    ['playlist-syntax'],
    () => written('#EXT-X-VERSION:8', '#EXT-X-VERSION:8\n#EXT-X-VERSION:8'),
  ],
  [
    'the version is too low for GAP',
    ['playlist-version'],
    () =>
      written(
        /VERSION:8([^]*)#EXTINF:1.6,\nsegment-1/,
        'VERSION:7$1#EXT-X-GAP\n#EXTINF:1.6,\nsegment-1',
      ),
  ],
  [
    'the target duration is 3',
    ['target-duration'],
    () => written('TARGETDURATION:2', 'TARGETDURATION:3'),
  ],
  [
    'there is no media sequence',
    ['media-sequence'],
    () => written('#EXT-X-MEDIA-SEQUENCE:0\n', ''),
  ],
  ['the media sequence is one too high', ['pts-origin'], () => written('SEQUENCE:0', 'SEQUENCE:1')],
  ['one EXTINF is 1.601', ['extinf'], () => written('1.6,\nsegment-1', '1.601,\nsegment-1')],
  ['one PROGRAM-DATE-TIME is 1 ms late', ['program-date-time'], () => written('.600Z', '.601Z')],
  ['t0 is no multiple of 1600', ['program-date-time'], () => written(/\.(\d)00Z/g, '.$150Z')],
  [
    'a PROGRAM-DATE-TIME is missing',
    ['program-date-time'],
    () => written(/#EXT-X-PROGRAM.*\n(?=.*\nsegment-1)/, ''),
  ],
  [
    'two segments are swapped',
    ['entry-order'],
    () => written(/segment-1\.ts([^]*)segment-2/, 'segment-2.ts$1segment-1'),
  ],
  ['a segment comes twice', ['entry-order'], () => written('segment-2.ts', 'segment-1.ts')],
  ['a segment is missing', ['entry-missing'], () => written('segment-2.ts', 'segment-3.ts')],
  [
    'a needless EXT-X-DISCONTINUITY',
    ['discontinuity'],
    () => written(/(#EXTINF.*\nsegment-1)/, '#EXT-X-DISCONTINUITY\n$1'),
  ],
  ['entries after ENDLIST', ['playlist-end'], movedEnd],
  [
    'a VOD playlist without ENDLIST',
    ['playlist-end'],
    () => {
      const { playlist, segments } = written('EVENT', 'VOD');
      return { segments, playlist: playlist.replace('#EXT-X-ENDLIST\n', '') };
    },
  ],
  [
    'EXT-X-START lies outside',
    ['playlist-start'],
    () => written('#EXT-X-VERSION:8', '#EXT-X-VERSION:8\n#EXT-X-START:TIME-OFFSET=4.9,PRECISE=YES'),
  ],
];

function movedEnd(): Recording {
  const { playlist, segments } = written('#EXT-X-ENDLIST\n', '');
  return { segments, playlist: playlist.replace('#EXT-X-MEDIA', '#EXT-X-ENDLIST\n#EXT-X-MEDIA') };
}

testDefects(PLAYLIST);

test('does not ask for the media of a GAP', async () => {
  const recording = written(/(#EXTINF.*\nsegment-1)/, '#EXT-X-GAP\n$1');
  recording.segments.delete('segment-1.ts');
  const report = await verifyRecording(recording);
  expect(rulesOf(report)).toEqual([]);
  expect(report.summary).toMatchObject({ segments: 2, gaps: 1 });
});
