import type { Link, LinkRight } from '../access/links.ts';
import { ChalkreelError } from '../errors.ts';
import type { Highlight } from '../model/highlight.ts';
import type { Recording } from '../model/recording.ts';
import type { LinkRefusal } from '../protocol/page-data.ts';
import type { ApiContext } from './context.ts';

/** Pages people open, by the first part of their address. */
export type PageName = 'watch' | 'panel' | 'share';

/** What a page's link opens. `unknown`: it could not be looked up now; the page asks again by itself. */
export type PageLink =
  | { readonly state: 'refused'; readonly refusal: LinkRefusal }
  | { readonly state: 'unknown' }
  | { readonly state: 'recording'; readonly recording: Recording }
  | {
      readonly state: 'highlight';
      readonly highlight: Highlight;
      /** Undefined when the class's recording was deleted: clips outlive it. */
      readonly recording: Recording | undefined;
    };

type Records = Pick<ApiContext, 'gate' | 'recordings' | 'highlights'>;

/** Looks up what the token opens on that page; never throws for what a person may have pasted. */
export async function openPageLink(
  records: Records,
  { page, id, token }: { readonly page: PageName; readonly id: string; readonly token: string },
): Promise<PageLink> {
  try {
    const link = await records.gate.open(token);
    return page === 'share'
      ? await openHighlight(records, link, id)
      : await openRecording(records, link, { id, right: page === 'panel' ? 'trigger' : 'play' });
  } catch (error) {
    if (!(error instanceof ChalkreelError) || error.fault !== 'input') return { state: 'unknown' };
    return refused(REFUSALS[error.code] ?? 'invalid');
  }
}

const REFUSALS: Readonly<Partial<Record<string, LinkRefusal>>> = {
  'link-expired': 'expired',
  'link-revoked': 'revoked',
};

async function openRecording(
  { recordings }: Records,
  link: Link,
  { id, right }: { readonly id: string; readonly right: LinkRight },
): Promise<PageLink> {
  const isFor = link.kind === 'recording' && link.id === id;
  if (!isFor || !link.rights.includes(right)) return refused('invalid');
  const recording = await recordings.find(id);
  return recording === undefined ? refused('missing') : { state: 'recording', recording };
}

/** A recording's link is good for its highlights too. */
async function openHighlight(
  { recordings, highlights }: Records,
  link: Link,
  id: string,
): Promise<PageLink> {
  if (!link.rights.includes('play')) return refused('invalid');
  if (link.kind === 'highlight' && link.id !== id) return refused('invalid');
  const highlight = await highlights.find(id);
  if (link.kind === 'recording' && highlight?.recordingId !== link.id) return refused('invalid');
  if (highlight === undefined) return refused('missing');
  const recording = await recordings.find(highlight.recordingId);
  return { state: 'highlight', highlight, recording };
}

function refused(refusal: LinkRefusal): PageLink {
  return { state: 'refused', refusal };
}
