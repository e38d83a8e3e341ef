/** Options of `record`: flags and what they mean. The command hands them on as they are; the recorder checks them. */
export const RECORD_OPTIONS = [
  ['--out <dir>', 'folder for playlist, segments and report'],
  ['--seconds <n>', 'stop after this time; default: on Ctrl-C, or when the page ends'],
  ['--audio-only', 'keep the sound alone'],
  ['--width <pixels>', 'picture width, default 1280'],
  ['--height <pixels>', 'picture height, default 720'],
  ['--fps <n>', 'frames per second: 10, 15, 20, 25, 30, 50 or 60; default 30'],
  ['--bitrate <bits>', 'video bits per second, default 3000000'],
  ['--audio-bitrate <bits>', 'sound bits per second, default 128000'],
  ['--await-signal', 'begin when the page says so instead of when it has loaded'],
  ['--ready-timeout <seconds>', 'begin after this time anyway, default 10'],
  ['--json', 'print the result as one JSON line on stdout'],
] as const;
