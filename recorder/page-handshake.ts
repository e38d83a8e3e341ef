import type { CDPSession, Page } from './browser.ts';
import { z } from 'zod';
import { installHeartbeat } from './lane/heartbeat.ts';
import { installVariedDamage } from './lane/varied-damage.ts';
import type { Log } from '../src/log.ts';
import type { SourceReport } from '../src/model/source-report.ts';
import { MAX_SOURCES } from '../src/protocol/classroom.ts';
import { classEventSchema, type ClassEvent } from '../src/protocol/class-event.ts';
import { sourceReportSchema } from '../src/protocol/page.ts';
import {
  highlightTriggerSchema,
  type HighlightTrigger,
} from '../src/protocol/highlight-trigger.ts';

/** Messages a page may send in one second; more are dropped and counted, since the page is not trusted. */
const MAX_MESSAGES_PER_SECOND = 200;
const MAX_MESSAGE_CHARACTERS = 16_384;
/** Events in one message. */
const MAX_EVENTS = 200;
const BINDING = '__chalkreelSend';

export type PageHandshakeHandlers = {
  onReady(): void;
  onEnd(reason: string): void;
  onHighlight(trigger: HighlightTrigger): void;
  /** Something happened in the class, by what the page says. */
  onClassEvent(event: ClassEvent): void;
  /** The page's main thread runs; the worst of its playing videos has shown nothing new for so long (recorder/lane/heartbeat.ts). */
  onBeat(standingMs: number): void;
  /** What the page says of its streams, some of them at a time. */
  onSources(reports: readonly SourceReport[]): void;
};

/** Of what a beacon says only the streams are kept; a page that names none is alive all the same. */
const beaconSchema = z.object({
  sources: z.array(sourceReportSchema).max(MAX_SOURCES).catch([]),
});

const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('end'), reason: z.string().max(200).optional() }),
  z.object({ type: z.literal('highlight'), trigger: highlightTriggerSchema }),
  // each on its own: one that is not well-formed is no reason to drop the others
  z.object({ type: z.literal('event'), events: z.array(z.unknown()).max(MAX_EVENTS) }),
  z.object({ type: z.literal('beacon'), stats: beaconSchema }),
]);

/**
 * Lets the recorded page tell the recorder when it is ready, when it ends and when a moment is to be kept: by
 * `window.chalkreel` (src/protocol/page.ts), there before the page's scripts run, or by LiveKit Egress's console messages.
 * To be installed before the page is opened.
 */
export async function installPageHandshake(
  page: Page,
  handlers: PageHandshakeHandlers,
  log: Log,
): Promise<void> {
  const client = await page.createCDPSession();
  const take = limited(log, (text) => {
    takeMessage(text, handlers, log);
  });
  client.on('Runtime.bindingCalled', (event) => {
    if (event.name === BINDING) take(event.payload);
  });
  listenToConsole(client, handlers);
  await client.send('Page.enable');
  await client.send('Runtime.enable');
  await client.send('Runtime.addBinding', { name: BINDING });
  await client.send('Page.addScriptToEvaluateOnNewDocument', { source: PAGE_API });
  await installHeartbeat(client, (standingMs) => handlers.onBeat(standingMs));
  await installVariedDamage(client);
}

function takeMessage(text: string, handlers: PageHandshakeHandlers, log: Log): void {
  const result = messageSchema.safeParse(parseJson(text));
  if (!result.success) {
    refuse(result.error, log);
    return;
  }
  const message = result.data;
  if (message.type === 'ready') handlers.onReady();
  else if (message.type === 'end') handlers.onEnd(message.reason ?? 'page-ended');
  else if (message.type === 'highlight') handlers.onHighlight(message.trigger);
  else if (message.type === 'beacon') handlers.onSources(message.stats.sources);
  else {
    log.debug({ event: 'page-message', message });
    takeEvents(message.events, handlers, log);
  }
}

/** One is logged of those that are refused together. */
function takeEvents(events: readonly unknown[], handlers: PageHandshakeHandlers, log: Log): void {
  let error: z.ZodError | undefined;
  for (const event of events) {
    const result = classEventSchema.safeParse(event);
    if (result.success) handlers.onClassEvent(result.data);
    else error ??= result.error;
  }
  if (error !== undefined) refuse(error, log);
}

function refuse({ issues: [issue] }: z.ZodError, log: Log): void {
  log.warn({ event: 'page-message-refused', path: issue?.path, why: issue?.message });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Pages written for LiveKit Egress say START_RECORDING and END_RECORDING on the console. */
function listenToConsole(client: CDPSession, handlers: PageHandshakeHandlers): void {
  client.on('Runtime.consoleAPICalled', (event) => {
    const value: unknown = event.args[0]?.value;
    if (value === 'START_RECORDING') handlers.onReady();
    else if (value === 'END_RECORDING') handlers.onEnd('page-ended');
  });
}

function limited(log: Log, take: (text: string) => void): (text: string) => void {
  let second = 0;
  let count = 0;
  return (text) => {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) {
      second = now;
      count = 0;
    }
    count += 1;
    if (count === MAX_MESSAGES_PER_SECOND + 1) log.warn({ event: 'page-messages-dropped' });
    if (count <= MAX_MESSAGES_PER_SECOND && text.length <= MAX_MESSAGE_CHARACTERS) take(text);
  };
}

/** `window.chalkreel` as ChalkreelPageApi describes it. Never throws into the page. */
const PAGE_API = `(() => {
  const binding = globalThis.${BINDING};
  const send = (message) => { try { binding(JSON.stringify(message)); } catch {} };
  const api = Object.freeze({
    ready: () => send({ type: 'ready' }),
    end: (reason) => send({ type: 'end', ...(typeof reason === 'string' ? { reason } : {}) }),
    highlight: (trigger) => send({ type: 'highlight', trigger: trigger ?? {} }),
    event: (...events) => send({ type: 'event', events }),
    beacon: (stats) => send({ type: 'beacon', stats }),
  });
  Object.defineProperty(globalThis, 'chalkreel', { value: api, enumerable: true });
})()`;
