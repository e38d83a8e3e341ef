import type { LinkRefusal, PageData } from '../../protocol/page-data.ts';

const SENTENCES: Readonly<Record<LinkRefusal, string>> = {
  invalid:
    'This link is not valid. Perhaps a part of it was lost on the way: ask for it once more.',
  expired: 'This link has expired. Ask for a new one.',
  revoked: 'This link was taken back, or what it showed was deleted.',
  missing: 'This is no longer here: it was deleted.',
};

/** What the api wrote into this page about its link. */
export function readPageData(): PageData {
  const text = document.getElementById('page-data')?.textContent ?? '';
  return JSON.parse(text) as PageData;
}

/** A refusal in words for people. */
export function refusalText(refusal: LinkRefusal): string {
  return SENTENCES[refusal];
}
