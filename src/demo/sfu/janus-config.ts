/** A stream that a publisher sends by RTP and that viewers watch by WebRTC: Janus calls it a mountpoint. */
export type Mountpoint = {
  readonly id: number;
  /** UDP ports on loopback that RTP is sent to. */
  readonly audioPort: number;
  readonly videoPort: number;
  /** RTCP of the picture, where its publisher can be asked for a key frame. */
  readonly videoRtcpPort?: number;
  readonly videoCodec: 'h264' | 'vp8' | 'h265';
};

export type JanusConfig = {
  /** TCP port on loopback of Janus's API, a WebSocket. */
  readonly apiPort: number;
  readonly mountpoints: readonly Mountpoint[];
  /** UDP ports for WebRTC, first and last. */
  readonly rtpPorts: readonly [number, number];
};

/** The room that browsers publish to, each as a feed with a number of its own. */
export const VIDEO_ROOM = 1;
const MAX_FEEDS = 25;

/** Whatever of the two codecs a publisher offers, VP8 before H.264; a key frame each 2 s for viewers who have lost theirs. */
const VIDEO_ROOM_CONFIG = `
general: { }
room-${VIDEO_ROOM}: {
  description = "class"
  publishers = ${MAX_FEEDS}
  bitrate = 600000
  fir_freq = 2
  audiocodec = "opus"
  videocodec = "vp8,h264"
  h264_profile = "42e01f"
}
`;

/** RTP payload types that publishers use. */
export const AUDIO_PAYLOAD_TYPE = 111;
export const VIDEO_PAYLOAD_TYPE = 96;

const FMTP: Readonly<Record<Mountpoint['videoCodec'], string>> = {
  // constrained baseline, level 3.1, as every browser offers it
  h264: 'fmtp = "profile-level-id=42e01f;packetization-mode=1"',
  vp8: '',
  h265: '',
};

/** Everything of Janus that is not needed here, by file name. */
const PLUGINS =
  'audiobridge duktape echotest lua nosip recordplay sip textroom videocall voicemail';
const TRANSPORTS = 'http mqtt nanomsg pfunix rabbitmq';

/** Janus's configuration files, by name, for loopback alone: no STUN, no TURN, no name is asked for. */
export function writeJanusConfig(config: JanusConfig): Readonly<Record<string, string>> {
  const { apiPort, mountpoints, rtpPorts } = config;
  return {
    'janus.jcfg': `
general: {
  debug_level = 3
  debug_colors = false
  debug_timestamps = true
  interface = "127.0.0.1"
  session_timeout = 30
}
media: {
  ipv6 = false
  rtp_port_range = "${rtpPorts.join('-')}"
}
nat: {
  nice_debug = false
  ignore_mdns = true
  ice_enforce_list = "127.0.0.1"
}
plugins: { disable = "${files(PLUGINS)}" }
transports: { disable = "${files(TRANSPORTS)}" }
loggers: { disable = "libjanus_jsonlog.so" }
`,
    'janus.transport.websockets.jcfg': `
general: {
  json = "compact"
  ws = true
  ws_port = ${apiPort}
  ws_ip = "127.0.0.1"
  wss = false
}
admin: { admin_ws = false, admin_wss = false }
`,
    'janus.plugin.streaming.jcfg': mountpoints.map(writeMountpoint).join('\n'),
    'janus.plugin.videoroom.jcfg': VIDEO_ROOM_CONFIG,
  };
}

function files(names: string): string {
  return names
    .split(' ')
    .map((name) => `libjanus_${name}.so`)
    .join(',');
}

function writeMountpoint(mountpoint: Mountpoint): string {
  const { id, audioPort, videoPort, videoRtcpPort, videoCodec } = mountpoint;
  const rtcp = videoRtcpPort === undefined ? '' : `rtcpport = ${videoRtcpPort}`;
  return `
stream-${id}: {
  type = "rtp"
  id = ${id}
  description = "stream ${id}"
  media = (
    { type = "audio", mid = "a", port = ${audioPort}, iface = "127.0.0.1", pt = ${AUDIO_PAYLOAD_TYPE}, codec = "opus" },
    {
      type = "video"
      mid = "v"
      port = ${videoPort}
      ${rtcp}
      iface = "127.0.0.1"
      pt = ${VIDEO_PAYLOAD_TYPE}
      codec = "${videoCodec}"
      ${FMTP[videoCodec]}
      bufferkf = ${videoCodec === 'h265' ? 'false' : 'true'}
    }
  )
}`;
}
