import { describe, expect, it } from 'vitest';
import { escapeHtml, renderShareTags, type ShareCard } from '../../../src/api/share-tags.ts';

const CARD: ShareCard = {
  title: '精彩 🎉',
  description: 'A moment of 35 s from Maths 8b',
  pageUrl: 'https://example.org/share/h1?t=a.b',
  posterUrl: 'https://example.org/t/a.b/v1/highlights/h1/poster.jpg',
  mp4Url: 'https://example.org/t/a.b/v1/highlights/h1/clip.mp4',
  size: { width: 1280, height: 720 },
};

/** Name or property of each tag, with its content as it is written. */
function read(card: ShareCard): Record<string, string> {
  const found = renderShareTags(card).matchAll(
    /<meta (?:property|name)="([^"]+)" content="([^"]*)" \/>/g,
  );
  return Object.fromEntries([...found].map(([, name, content]) => [String(name), String(content)]));
}

describe('renderShareTags', () => {
  it('names title, picture and film, with their sizes', () => {
    expect(read(CARD)).toEqual({
      'og:site_name': 'Chalkreel',
      'og:type': 'video.other',
      'og:title': CARD.title,
      'og:description': CARD.description,
      'og:url': CARD.pageUrl,
      'og:image': CARD.posterUrl,
      'og:image:type': 'image/jpeg',
      'og:image:width': '1280',
      'og:image:height': '720',
      'og:image:alt': CARD.title,
      'og:video': CARD.mp4Url,
      'og:video:secure_url': CARD.mp4Url,
      'og:video:type': 'video/mp4',
      'og:video:width': '1280',
      'og:video:height': '720',
      description: CARD.description,
      'twitter:card': 'summary_large_image',
      'twitter:title': CARD.title,
      'twitter:description': CARD.description,
      'twitter:image': CARD.posterUrl,
    });
  });

  it('says nothing of what is not there yet', () => {
    const tags = read({ ...CARD, posterUrl: null, mp4Url: null });
    expect(Object.keys(tags).filter((name) => /image|video:|^og:video/.test(name))).toEqual([]);
    expect(tags['twitter:card']).toBe('summary');
  });

  it('claims no secure film over plain HTTP', () => {
    const mp4Url = 'http://127.0.0.1/clip.mp4';
    expect(read({ ...CARD, mp4Url })).not.toHaveProperty('og:video:secure_url');
  });

  it('lets no text end its attribute', () => {
    const tags = renderShareTags({ ...CARD, title: `"><script>alert('x')</script>&` });
    expect(tags).not.toContain('<script>');
    expect(tags).toContain(
      'content="&#34;&#62;&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;&#38;"',
    );
  });
});

describe('escapeHtml', () => {
  it('leaves other scripts and emoji as they are', () => {
    expect(escapeHtml('שלום 你好 👩‍🏫 $&')).toBe('שלום 你好 👩‍🏫 $&#38;');
  });
});
