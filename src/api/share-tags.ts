/** What a shared clip looks like where its link is shown. URLs are absolute. */
export type ShareCard = {
  readonly title: string;
  readonly description: string;
  readonly pageUrl: string;
  /** Null until it is made; then for sound alone it stays so. */
  readonly posterUrl: string | null;
  readonly mp4Url: string | null;
  /** The picture's size in pixels; null when it is no longer known. */
  readonly size: { readonly width: number; readonly height: number } | null;
};

/** Tags for messengers and social networks: Open Graph (ogp.me), and Twitter's where it has names of its own. */
export function renderShareTags(card: ShareCard): string {
  const { title, description, pageUrl, posterUrl, mp4Url, size } = card;
  const properties: [name: string, content: string | null][] = [
    ['og:site_name', 'Chalkreel'],
    ['og:type', 'video.other'],
    ['og:title', title],
    ['og:description', description],
    ['og:url', pageUrl],
    ...(posterUrl === null ? [] : imageProperties(posterUrl, card)),
    ...(mp4Url === null ? [] : videoProperties(mp4Url, size)),
  ];
  const names: [name: string, content: string | null][] = [
    ['description', description],
    ['twitter:card', posterUrl === null ? 'summary' : 'summary_large_image'],
    ['twitter:title', title],
    ['twitter:description', description],
    ['twitter:image', posterUrl],
  ];
  return [...tags('property', properties), ...tags('name', names)].join('\n    ');
}

/** Text as it stands in HTML, between tags and in attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function imageProperties(url: string, { title, size }: ShareCard): [string, string | null][] {
  return [
    ['og:image', url],
    ['og:image:type', 'image/jpeg'],
    ...sizeProperties('og:image', size),
    ['og:image:alt', title],
  ];
}

function videoProperties(url: string, size: ShareCard['size']): [string, string | null][] {
  return [
    ['og:video', url],
    ['og:video:secure_url', url.startsWith('https:') ? url : null],
    ['og:video:type', 'video/mp4'],
    ...sizeProperties('og:video', size),
  ];
}

function sizeProperties(prefix: string, size: ShareCard['size']): [string, string | null][] {
  return [
    [`${prefix}:width`, size && String(size.width)],
    [`${prefix}:height`, size && String(size.height)],
  ];
}

function tags(kind: 'property' | 'name', all: readonly [string, string | null][]): string[] {
  return all.flatMap(([name, content]) =>
    content === null ? [] : [`<meta ${kind}="${name}" content="${escapeHtml(content)}" />`],
  );
}
