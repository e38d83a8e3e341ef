import { parseServerMessage, type ServerMessage } from '../../src/protocol/signalling.ts';
import type { SignallingState } from './state.ts';

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 5000;
/** A connection that has brought no snapshot after this is given up. */
const SNAPSHOT_TIMEOUT_MS = 5000;

export type SignallingClient = {
  readonly state: () => SignallingState;
  /** Messages of unknown type or refused, so far. */
  readonly ignored: () => number;
};

/** Listens to a class's signalling as its invisible recorder, for ever: reconnects with growing pauses. */
export function listenToSignalling(
  url: string,
  onMessage: (message: ServerMessage) => void,
  onState: (state: SignallingState) => void,
): SignallingClient {
  let state: SignallingState = 'connecting';
  let ignored = 0;
  let failures = 0;
  const become = (next: SignallingState): void => {
    state = next;
    onState(next);
  };
  const receive = (socket: WebSocket, data: unknown): boolean => {
    const parsed = parseServerMessage(typeof data === 'string' ? data : '');
    if (parsed.kind !== 'message') {
      ignored += 1;
      return false;
    }
    if (parsed.message.type === 'snapshot') {
      failures = 0;
      become('open');
    }
    if (parsed.message.type === 'error') console.warn(`signalling: ${parsed.message.message}`);
    if (state === 'open' && socket.readyState === WebSocket.OPEN) onMessage(parsed.message);
    return parsed.message.type === 'snapshot';
  };
  const open = (): void => {
    const socket = new WebSocket(url);
    const giveUp = setTimeout(() => {
      socket.close();
    }, SNAPSHOT_TIMEOUT_MS);
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: 'join', name: 'Chalkreel', role: 'recorder' }));
    };
    socket.onmessage = ({ data }) => {
      if (receive(socket, data)) clearTimeout(giveUp);
    };
    socket.onclose = () => {
      clearTimeout(giveUp);
      become('reconnecting');
      setTimeout(open, retryAfterMs(failures++));
    };
  };
  open();
  return { state: () => state, ignored: () => ignored };
}

/** Doubles from 250 ms to 5 s; half of it is random, so that a fleet does not return as one. */
function retryAfterMs(failures: number): number {
  const ms = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
  return ms / 2 + (Math.random() * ms) / 2;
}
