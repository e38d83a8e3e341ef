import type { SpanEvents, SpanKind } from '../../src/model/spans.ts';
import type { Link } from './link.ts';

/** Tells the worker process of spans as they begin and end. */
export function sendSpans(link: Pick<Link, 'send'>, kind: Exclude<SpanKind, 'frozen'>): SpanEvents {
  return {
    onBegun: (startMs) => {
      link.send({ type: 'span', kind, startMs, endMs: null });
    },
    onEnded: (startMs, endMs) => {
      link.send({ type: 'span', kind, startMs, endMs });
    },
  };
}
