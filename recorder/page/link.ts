import {
  writeMediaMessage,
  type FromPage,
  type MediaMessage,
  type RecorderPageConfig,
  type ToPage,
} from '../../src/protocol/recorder-link.ts';

/** Clock exchanges before the link counts as open: the quickest of them is near the truth. */
const FIRST_PINGS = 8;
/** Afterwards the clock is compared this often … */
const PING_MS = 1000;
/** … and a comparison counts while its round trip is within this of the best, ms. */
const ROUND_TRIP_SLACK_MS = 0.3;

export type Link = {
  /** Now on the fleet's clock, Unix ms with a fraction. */
  nowMs(): number;
  /** A capture timestamp (CLOCK_MONOTONIC, ms) on the fleet's clock. */
  fleetMs(monotonicMs: number): number;
  send(message: FromPage): void;
  sendMedia(message: MediaMessage): void;
  onMessage: (message: ToPage) => void;
  readonly bufferedBytes: number;
};

/** Opens the guarded WebSocket to the worker process and learns its clocks. */
export async function openLink(config: RecorderPageConfig): Promise<Link> {
  const socket = new WebSocket(`${config.linkUrl}?token=${encodeURIComponent(config.token)}`);
  socket.binaryType = 'arraybuffer';
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => {
      reject(new Error('the recorder link was refused'));
    };
  });
  const clock = { monotonicMinusPage: 0, fleetOffset: 0, bestRoundTrip: Infinity, pongs: 0 };
  let onOpen = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    onOpen = resolve;
  });
  const send = (message: FromPage): void => {
    socket.send(JSON.stringify(message));
  };
  const ping = (): void => {
    send({ type: 'ping', pingedAt: performance.now() });
  };
  const link: Link = {
    nowMs: () => performance.now() + clock.monotonicMinusPage + clock.fleetOffset,
    fleetMs: (monotonicMs) => monotonicMs + clock.fleetOffset,
    send,
    sendMedia: (message) => {
      socket.send(writeMediaMessage(message));
    },
    onMessage: () => undefined,
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
  };
  socket.onmessage = (event: MessageEvent<string>) => {
    const message = JSON.parse(event.data) as ToPage;
    if (message.type !== 'pong') {
      link.onMessage(message);
      return;
    }
    readClock(clock, message);
    clock.pongs += 1;
    if (clock.pongs < FIRST_PINGS) ping();
    else onOpen();
  };
  ping();
  await opened;
  setInterval(ping, PING_MS);
  return link;
}

function readClock(
  clock: { monotonicMinusPage: number; fleetOffset: number; bestRoundTrip: number },
  pong: Extract<ToPage, { type: 'pong' }>,
): void {
  const now = performance.now();
  const roundTrip = now - pong.pingedAt;
  clock.fleetOffset = pong.fleetOffsetMs;
  if (roundTrip > clock.bestRoundTrip + ROUND_TRIP_SLACK_MS) return;
  clock.bestRoundTrip = Math.min(clock.bestRoundTrip, roundTrip);
  clock.monotonicMinusPage = pong.monotonicMs - (pong.pingedAt + roundTrip / 2);
}
