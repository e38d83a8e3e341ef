import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import { ChalkreelError } from '../../errors.ts';
import { deferred, withDeadline, type Closable, type Deferred } from '../../lifecycle.ts';

/** Janus answers a request within this, or is taken for dead. */
const ANSWER_TIMEOUT_MS = 3000;
/** Janus forgets a session that says nothing for 30 s (`session_timeout`). */
const KEEP_ALIVE_MS = 10_000;

export type Jsep = { readonly type: 'offer' | 'answer'; readonly sdp: string };

/** What Janus says (https://janus.conf.meetecho.com/docs/rest.html), as far as it is used here. */
type JanusMessage = {
  readonly janus: string;
  readonly transaction?: string;
  readonly sender?: number;
  readonly data?: { readonly id: number };
  readonly error?: { readonly code: number; readonly reason: string };
  readonly plugindata?: { readonly data: PluginData };
  readonly jsep?: Jsep;
};
export type PluginData = Readonly<Record<string, unknown>> & {
  readonly error?: string;
  readonly error_code?: number;
};
export type PluginAnswer = { readonly data: PluginData; readonly jsep: Jsep | undefined };

/** A plugin's handle: one viewer or one publisher. */
export type JanusHandle = Closable & {
  readonly id: number;
  /** Sends a message, with an SDP or not; resolves to the plugin's answer. Throws `sfu-refused`, `sfu-unavailable`. */
  ask(body: object, jsep?: Jsep): Promise<PluginAnswer>;
};

/** A session of Janus's API over one WebSocket. */
export type JanusSession = Closable & {
  /** Settles when the session is gone, however that came. */
  readonly gone: Promise<void>;
  attach(plugin: string): Promise<JanusHandle>;
};

/** Opens a session. Throws `sfu-unavailable`. `onHangup` is told of viewers whose connection has ended. */
export async function openJanusSession(
  url: string,
  onHangup: (handleId: number) => void = () => undefined,
): Promise<JanusSession> {
  const socket = new WebSocket(url, 'janus-protocol');
  const waiting = new Map<string, Deferred<JanusMessage>>();
  const gone = deferred();
  const opened = deferred();
  socket.once('open', opened.resolve);
  socket.on('error', (error) => opened.reject(unavailable(error.message)));
  socket.once('close', () => {
    gone.resolve();
    opened.reject(unavailable('it closed the connection'));
    for (const one of waiting.values()) one.reject(unavailable('it closed the connection'));
  });
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as JanusMessage;
    // an acknowledgement; the answer comes as an event
    if (message.janus === 'ack') return;
    if (message.janus === 'hangup' && message.sender !== undefined) onHangup(message.sender);
    waiting.get(message.transaction ?? '')?.resolve(message);
  });
  const send = async (request: object, isAnswered = true): Promise<JanusMessage> => {
    if (socket.readyState !== WebSocket.OPEN) throw unavailable('there is no connection');
    const transaction = randomUUID();
    const answer = deferred<JanusMessage>();
    if (isAnswered) waiting.set(transaction, answer);
    socket.send(JSON.stringify({ ...request, transaction }));
    if (!isAnswered) return { janus: 'ack' };
    try {
      const message = await withDeadline(answer.promise, ANSWER_TIMEOUT_MS, () =>
        unavailable(`no answer within ${ANSWER_TIMEOUT_MS} ms`),
      );
      if (message.error !== undefined) throw refused(message.error.reason);
      return message;
    } finally {
      waiting.delete(transaction);
    }
  };
  await withDeadline(opened.promise, ANSWER_TIMEOUT_MS, () => unavailable('no answer')).catch(
    (error: unknown) => {
      socket.terminate();
      throw error;
    },
  );
  const { data } = await send({ janus: 'create' });
  const session = { session_id: data?.id };
  const keepAlive = setInterval(() => {
    send({ janus: 'keepalive', ...session }, false).catch(() => undefined);
  }, KEEP_ALIVE_MS);
  void gone.promise.then(() => clearInterval(keepAlive));
  return {
    gone: gone.promise,
    attach: async (plugin) => {
      const attached = await send({ janus: 'attach', plugin, ...session });
      const handle = { ...session, handle_id: attached.data?.id };
      return {
        id: attached.data?.id ?? 0,
        ask: async (body, jsep) => {
          const message = await send({ janus: 'message', ...handle, body, jsep });
          const answer = message.plugindata?.data ?? {};
          if (answer.error !== undefined) throw refused(answer.error, answer.error_code);
          return { data: answer, jsep: message.jsep };
        },
        close: async () => {
          await send({ janus: 'detach', ...handle }).catch(() => undefined);
        },
      };
    },
    close: async () => {
      socket.terminate();
      await gone.promise;
    },
  };
}

function unavailable(why: string): ChalkreelError {
  return new ChalkreelError('sfu-unavailable', `Janus: ${why}`, { fault: 'dependency' });
}

/** Nobody publishes this feed, in the videoroom's words. */
const NO_SUCH_FEED = 428;

function refused(reason: string, pluginCode?: number): ChalkreelError {
  const code = pluginCode === NO_SUCH_FEED ? 'sfu-no-stream' : 'sfu-refused';
  return new ChalkreelError(code, `Janus: ${reason}`, { fault: 'input' });
}
