/** One raw AAC-LC frame of silence, stereo (a channel pair element without spectral data, then END). */
export const SILENT_AAC_FRAME: Uint8Array = Uint8Array.of(
  0x21,
  0x00,
  0x49,
  0x90,
  0x02,
  0x19,
  0x00,
  0x23,
  0x80,
);
