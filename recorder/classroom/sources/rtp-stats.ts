/** What WebRTC itself counts, once a second. */
export type RtpStats = {
  readonly packetsLost: number;
  /** Sound that was made up because packets were missing or late. */
  readonly concealedMs: number;
  /** Loudness of the sound now, 0 to 1. */
  readonly level: number;
  /** Time a picture waited in the jitter buffer, on average since the last look. */
  readonly latencyMs: number | null;
  readonly bufferedS: number;
  readonly buffered: number;
};

/** Clock rate of Opus (RFC 7587 §4.1). */
const OPUS_HZ = 48_000;

type Inbound = RTCInboundRtpStreamStats & { readonly silentConcealedSamples?: number };

/** Reads a connection's counters; `before` is what was read last. */
export async function collectStats(
  connection: RTCPeerConnection,
  before: RtpStats | undefined,
): Promise<RtpStats> {
  const report = await connection.getStats();
  let [packetsLost, concealed, level, bufferedS, buffered] = [0, 0, 0, 0, 0];
  report.forEach((entry: RTCStats) => {
    if (entry.type !== 'inbound-rtp') return;
    const inbound = entry as Inbound;
    packetsLost += Math.max(0, inbound.packetsLost ?? 0);
    if (inbound.kind === 'audio') {
      // silence that fills a pause of the sender is no loss
      concealed += (inbound.concealedSamples ?? 0) - (inbound.silentConcealedSamples ?? 0);
      level = inbound.audioLevel ?? 0;
    } else {
      bufferedS += inbound.jitterBufferDelay ?? 0;
      buffered += inbound.jitterBufferEmittedCount ?? 0;
    }
  });
  const pictures = buffered - (before?.buffered ?? 0);
  const waitedS = bufferedS - (before?.bufferedS ?? 0);
  return {
    packetsLost,
    concealedMs: Math.round((concealed / OPUS_HZ) * 1000),
    level,
    latencyMs: pictures > 0 ? Math.round((waitedS / pictures) * 1000) : null,
    bufferedS,
    buffered,
  };
}
