/**
 * Every rule the checker knows: a stable id and the sentence it enforces. "Design" is the section
 * "The one idea" of design.md; other sources are named. Ids are part of the tool's interface.
 */
export const RULES = {
  // transport stream packets (ISO/IEC 13818-1 §2.4.3)
  'packet-size': 'A segment is a whole number of 188-byte packets, and not empty.',
  'packet-sync': 'Every packet starts with the sync byte 0x47.',
  'packet-header':
    'Packet header and adaptation field are well formed; no error, scrambling or time-base discontinuity is signalled.',
  'unlisted-pid': 'Every packet belongs to PAT, PMT, a stream the PMT lists, or is a null packet.',
  // tables
  'psi-first': 'A segment starts with PAT, then PMT.',
  'psi-interval': 'PAT and PMT come every 100 ms of stream time, 16 of each a segment.',
  'psi-crc': "A table's CRC-32 is right.",
  'psi-syntax': 'A table is one complete, current section in one packet, stuffed with 0xFF.',
  'psi-constant': 'PAT and PMT never change, except at EXT-X-DISCONTINUITY.',
  'stream-types':
    'The PMT lists one AAC stream in ADTS (0x0F), at most one H.264 stream (0x1B), and nothing else; PCR is on the video, or on the sound where there is no video.',
  // continuity
  'counter-start': "Each PID's continuity counter starts at 0 in every segment.",
  'counter-step':
    'Continuity counters run on: one step for each payload packet, none without payload.',
  'counter-multiple': 'Each PID carries a multiple of 16 payload packets a segment.',
  // clock
  'pcr-value': 'A PCR has an extension below 300 and its reserved bits set.',
  'pcr-order': 'PCRs strictly rise.',
  'pcr-interval': 'PCR comes at least every 100 ms of stream time, up to the end of the segment.',
  'pcr-lead':
    'PCR is the same fixed lead, at least 500 ms, before the DTS of the picture (or sound) it comes with; a PCR by itself is in its place between them.',
  'pcr-after-dts': 'No byte of a unit arrives at or after its DTS.',
  // packetized elementary streams
  'pes-header': 'PES headers are well formed and carry nothing but the time stamps.',
  'pes-length': 'A PES packet holds as many bytes as its length field says.',
  'pes-whole': 'A segment holds whole PES packets: it continues none and leaves none open.',
  // times
  'pts-origin': 'The PTS origin B is 10 s (900000 ticks), or as given by --pts-origin.',
  'pts-first': "A segment's first PTS is (B + 144000 n) mod 2^33.",
  'pts-slot': 'A picture is exactly on a slot of the grid, inside its segment.',
  'pts-order': 'The PTS of pictures strictly rise.',
  dts: 'A picture has no DTS, or one equal to its PTS.',
  // pictures (ISO/IEC 14496-10)
  'first-slot': 'The first slot of a segment is filled.',
  'last-slots': 'The last two slots of a segment are filled.',
  'slot-gap': 'There is a picture in any 200 ms.',
  'idr-first':
    'PAT and PMT are followed by an IDR picture with its SPS and PPS (by sound where there is no video).',
  aud: 'Every access unit starts with an access unit delimiter that allows its slice types.',
  'access-unit': 'A PES packet holds exactly one coded picture, its slices in order.',
  'nal-syntax':
    'NAL units, parameter sets and slice headers parse, with no forbidden byte pattern.',
  'no-b-frames': 'There are no B slices: output order is decoding order.',
  'frame-num':
    'frame_num and picture order count run on from each IDR: no picture is missing or moved.',
  'parameter-sets': 'SPS and PPS never change, except at EXT-X-DISCONTINUITY.',
  'coded-size': 'The coded size never changes within a recording.',
  'size-even': 'Width and height of the picture are even.',
  'square-pixels': 'Pixels are square: the sample aspect ratio is 1:1 or unspecified.',
  colour: 'BT.709 in limited range is signalled: primaries, transfer and matrix 1, full range 0.',
  level: 'The level allows the size at the frame rate (table A-1).',
  // sound (ISO/IEC 14496-3)
  'audio-frames': 'A segment holds exactly 75 AAC frames of 1024 samples.',
  'audio-pts': 'Frame k of the sound is at exactly the start of the segment + 1920 k ticks.',
  'audio-format': 'Sound is AAC-LC, 48 kHz, stereo.',
  adts: 'ADTS headers are well formed, constant (except at EXT-X-DISCONTINUITY), and their lengths fit the bytes.',
  // playlist (RFC 8216bis)
  'playlist-syntax': 'The playlist parses: header, tags once each, numbers that are numbers.',
  'playlist-version': 'EXT-X-VERSION is there and high enough for the tags in use.',
  'target-duration': 'EXT-X-TARGETDURATION is 2: the whole number 1.6 rounds to.',
  'media-sequence': 'EXT-X-MEDIA-SEQUENCE is there: the number n of the first entry.',
  'program-date-time': 'EXT-X-PROGRAM-DATE-TIME is t0 + 1600 n ms, t0 a multiple of 1600.',
  extinf: 'Every EXTINF is exactly 1.6.',
  discontinuity:
    'EXT-X-DISCONTINUITY is where parameter sets (or those of the sound) change, and only there.',
  'entry-order': 'Entries come in order of n: each holds the segment of its number, once.',
  'entry-missing': "An entry's media can be read, unless it is a GAP.",
  'playlist-end': 'A VOD playlist has ENDLIST, and no entry comes after ENDLIST.',
  'playlist-start': 'EXT-X-START lies inside the playlist.',
  'playlist-append':
    'Asked again, a server has only appended to a playlist: entries it has served never change, a window only moves on.',
  'playlist-skip':
    'A delta update (EXT-X-SKIP) is its playlist without the oldest entries, all within CAN-SKIP-UNTIL kept, and that is at least six target durations.',
  // payload
  decode: 'ffmpeg decodes pictures and sound without a complaint.',
  'content-changed': 'Elementary streams and times are those of the report given with --expect.',
  // clip (ISO/IEC 14496-12, 14496-15)
  'mp4-boxes':
    'Boxes nest and end exactly; ftyp comes first, and all that a player needs is there.',
  'mp4-fast-start': 'moov comes before mdat.',
  'mp4-codec':
    'Pictures are avc1 with all parameter sets in avcC; sound is AAC-LC, 48 kHz, stereo.',
  'mp4-tables': 'Sample tables agree with each other and lie inside mdat.',
  'mp4-duration': 'Durations of samples, media, edit lists, tracks and movie agree.',
  'mp4-edit':
    'The sound has one edit (pictures at most one), at normal rate, with at least one AAC frame before it.',
  'mp4-sync': 'Sync samples are IDR pictures, the first sample is one, and stss lists them all.',
  'mp4-nal': 'Samples are whole length-prefixed NAL units that use parameter sets in avcC.',
} as const;

export type RuleId = keyof typeof RULES;
