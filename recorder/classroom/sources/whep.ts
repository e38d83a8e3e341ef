import type { IceServer } from '../../../src/model/recording.ts';
import {
  asSourceError,
  fetchSource,
  LostSource,
  makeElement,
  startElement,
  type OpenPlayback,
  type SourceError,
} from './playback.ts';
import { collectStats, type RtpStats } from './rtp-stats.ts';

/** A WHEP server answers within this, or is taken for dead. */
const ANSWER_TIMEOUT_MS = 4000;
/** Candidates that are found within this go with the offer; later ones are sent after it. */
const GATHER_MS = 300;
const STATS_MS = 1000;

/**
 * WebRTC by WHEP (draft-ietf-wish-whep): a POST with our offer is answered (201), or met by the server's own (406), which we
 * answer with a PATCH. The connection is not mended but made anew: as fast as an ICE restart, and it survives a server that has
 * forgotten us.
 */
export const openWhep: OpenPlayback<'whep'> = (source, { withPicture, mixer, onLost }) => {
  const element = makeElement(withPicture);
  element.muted = true;
  // it is heard through the mixer, but Chrome decodes remote sound only while an element plays it; one of its own, since a video
  // whose camera is off never begins
  const player = withPicture ? makeElement(false) : element;
  player.muted = true;
  const abort = new AbortController();
  const connection = new RTCPeerConnection({
    iceServers: source.iceServers?.map(asRtcServer) ?? [],
    bundlePolicy: 'max-bundle',
  });
  connection.addTransceiver('audio', { direction: 'recvonly' });
  if (withPicture) connection.addTransceiver('video', { direction: 'recvonly' });
  const session = new WhepSession(source.url, source.token, abort.signal);
  let sound: ReturnType<typeof mixer.addStream> | undefined;
  let isHeard = false;
  let ear: RTCRtpReceiver | undefined;
  let flaw: SourceError | undefined;
  let picture: MediaStream | undefined;
  let stats: RtpStats | undefined;

  const lose = (error: unknown): void => {
    if (!abort.signal.aborted) onLost(asSourceError(error, 'bad-answer'));
  };
  connection.ontrack = ({ track, receiver }) => {
    const stream = new MediaStream([track]);
    if (track.kind === 'video') {
      picture = stream;
      return;
    }
    ear = receiver;
    play(player, stream);
    sound = mixer.addStream(stream);
    sound.setHeard(isHeard);
  };
  connection.onconnectionstatechange = () => {
    if (connection.connectionState !== 'failed') return;
    lose(new LostSource('no-connection', 'WebRTC lost its way to the server'));
  };
  const timer = setInterval(() => {
    void collectStats(connection, stats).then((next) => (stats = next));
  }, STATS_MS);
  connect({ connection, session, withPicture }).then((found) => {
    flaw = found;
    // of a picture that was refused Chrome would show one black frame
    if (flaw === undefined && picture !== undefined) play(element, picture);
  }, lose);

  return {
    element,
    setHeard: (next) => {
      isHeard = next;
      sound?.setHeard(next);
    },
    lastSoundMs: watchSound(() => ear),
    level: () => stats?.level ?? 0,
    latencyMs: () => stats?.latencyMs ?? null,
    losses: () => stats ?? { packetsLost: 0, concealedMs: 0 },
    flaw: () => flaw,
    silence: () =>
      flaw ??
      (connection.connectionState === 'connected'
        ? { code: 'no-media', detail: 'connected, but nothing is sent' }
        : { code: 'no-connection', detail: 'WebRTC found no way to the server' }),
    close: () => {
      abort.abort();
      clearInterval(timer);
      connection.close();
      sound?.close();
      element.srcObject = null;
      player.srcObject = null;
      session.end();
    },
  };
};

function play(element: HTMLMediaElement, stream: MediaStream): void {
  element.srcObject = stream;
  startElement(element);
}

/** How long an answer about the sound is good for. */
const SOUND_SEEN_MS = 250;

/**
 * Tells when its sound was last played out, by performance.now(). Chrome gives Unix time here, against the specification; and the page
 * stands still until WebRTC's own thread has answered: with four streams asked ten times a second, a third of its time on a busy machine.
 */
function watchSound(receiver: () => RTCRtpReceiver | undefined): () => number {
  let [soundMs, askedMs] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return () => {
    if (performance.now() - askedMs < SOUND_SEEN_MS) return soundMs;
    askedMs = performance.now();
    const timestamp = receiver()?.getSynchronizationSources()[0]?.timestamp;
    if (timestamp === undefined) return (soundMs = Number.NEGATIVE_INFINITY);
    const { timeOrigin } = performance;
    return (soundMs = timestamp > timeOrigin ? timestamp - timeOrigin : timestamp);
  };
}

/** Negotiates; resolves to what will be missing for good, if anything. Throws LostSource. */
async function connect(options: {
  readonly connection: RTCPeerConnection;
  readonly session: WhepSession;
  readonly withPicture: boolean;
}): Promise<SourceError | undefined> {
  const { connection, session } = options;
  const { sdp = '' } = await connection.createOffer();
  await connection.setLocalDescription({ type: 'offer', sdp: inStereo(sdp) });
  await gather(connection);
  const reply = await session.begin(connection.localDescription?.sdp ?? '');
  try {
    if (reply.type === 'answer') await connection.setRemoteDescription(reply);
    else await answerOffer(reply, options);
  } catch (error) {
    if (error instanceof LostSource) throw error;
    throw new LostSource('bad-answer', `the server's SDP cannot be used: ${String(error)}`);
  }
  const active = connection.getTransceivers().filter((one) => one.currentDirection === 'recvonly');
  session.trickleFrom(connection);
  if (active.length === 0) throw new LostSource(UNSUPPORTED.code, UNSUPPORTED.detail);
  const lacksPicture = options.withPicture && !active.some(isVideo);
  return lacksPicture && reply.type === 'offer' && /^m=video/m.test(reply.sdp)
    ? UNSUPPORTED
    : undefined;
}

const UNSUPPORTED: SourceError = {
  code: 'codec-unsupported',
  detail: 'the server has no codec that this browser decodes',
};

/** Takes the server's offer in place of ours. */
async function answerOffer(
  offer: RTCSessionDescriptionInit,
  options: {
    readonly connection: RTCPeerConnection;
    readonly session: WhepSession;
    readonly withPicture: boolean;
  },
): Promise<void> {
  const { connection, session, withPicture } = options;
  await connection.setLocalDescription({ type: 'rollback' });
  await connection.setRemoteDescription(offer);
  for (const one of connection.getTransceivers()) {
    if (!withPicture && isVideo(one)) one.direction = 'inactive';
  }
  const { sdp = '' } = await connection.createAnswer();
  await connection.setLocalDescription({ type: 'answer', sdp: inStereo(sdp) });
  await gather(connection);
  await session.accept(connection.localDescription?.sdp ?? '');
}

function isVideo({ receiver }: RTCRtpTransceiver): boolean {
  return receiver.track.kind === 'video';
}

/** Without it Chrome decodes Opus to one channel (RFC 7587 §6.1). */
function inStereo(sdp: string): string {
  return sdp.replace(/useinbandfec=1(?!;stereo)/g, 'useinbandfec=1;stereo=1');
}

async function gather(connection: RTCPeerConnection): Promise<void> {
  if (connection.iceGatheringState === 'complete') return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, GATHER_MS);
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState !== 'complete') return;
      clearTimeout(timer);
      resolve();
    });
  });
}

function asRtcServer({ urls, username, credential }: IceServer): RTCIceServer {
  return {
    urls: [...urls],
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  };
}

/** The HTTP half of one WHEP session. */
class WhepSession {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #signal: AbortSignal;
  #resource: string | undefined;

  constructor(url: string, token: string | undefined, signal: AbortSignal) {
    this.#url = url;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#signal = signal;
  }

  /** Sends the offer; resolves to the server's answer, or to its own offer. Throws LostSource. */
  async begin(offer: string): Promise<{ readonly type: 'answer' | 'offer'; readonly sdp: string }> {
    const response = await fetchSource(this.#url, {
      method: 'POST',
      headers: { ...this.#headers, 'content-type': 'application/sdp' },
      body: offer,
      timeoutMs: ANSWER_TIMEOUT_MS,
      signal: this.#signal,
      isWelcome: (status, type) => status === 406 && type.startsWith('application/sdp'),
    });
    const location = response.headers.get('location');
    if (location !== null) this.#resource = new URL(location, this.#url).href;
    const sdp = await response.text();
    if (this.#signal.aborted) this.end();
    if (!sdp.startsWith('v=0')) {
      throw new LostSource('bad-answer', `expected SDP, got "${sdp.slice(0, 40)}"`);
    }
    return { type: response.status === 406 ? 'offer' : 'answer', sdp };
  }

  /** Sends our answer to the server's offer. Throws LostSource. */
  async accept(answer: string): Promise<void> {
    if (this.#resource === undefined) {
      throw new LostSource('bad-answer', 'the server made an offer without a Location');
    }
    await fetchSource(this.#resource, {
      method: 'PATCH',
      headers: { ...this.#headers, 'content-type': 'application/sdp' },
      body: answer,
      timeoutMs: ANSWER_TIMEOUT_MS,
      signal: this.#signal,
    });
  }

  /** Sends the candidates that come too late for our SDP (RFC 8840). Servers that know no trickling need none. */
  trickleFrom(connection: RTCPeerConnection): void {
    connection.onicecandidate = ({ candidate }) => {
      if (candidate === null || candidate.candidate === '') return;
      const sdp = connection.localDescription?.sdp ?? '';
      const line = (name: string): string => new RegExp(`a=${name}:.*\r\n`).exec(sdp)?.[0] ?? '';
      const credentials = `${line('ice-ufrag')}${line('ice-pwd')}`;
      const fragment = `${credentials}m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=${candidate.candidate}\r\n`;
      this.#send('PATCH', { 'content-type': 'application/trickle-ice-sdpfrag' }, fragment);
    };
  }

  /** Tells the server that we leave; whether it hears it does not matter. */
  end(): void {
    if (this.#resource === undefined) return;
    this.#send('DELETE');
    this.#resource = undefined;
  }

  #send(method: string, headers: Record<string, string> = {}, body?: string): void {
    const init = { method, headers: { ...this.#headers, ...headers }, keepalive: true };
    fetch(this.#resource ?? '', body === undefined ? init : { ...init, body }).catch(
      () => undefined,
    );
  }
}
