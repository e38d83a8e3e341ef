import { readFile } from 'node:fs/promises';
import path from 'node:path';
import express, { Router, type Request, type RequestHandler } from 'express';
import { ChalkreelError } from '../errors.ts';
import type { LinkRefusal, PageData } from '../protocol/page-data.ts';
import type { ApiContext } from './context.ts';
import { openPageLink, type PageLink, type PageName } from './page-link.ts';
import { escapeHtml, renderShareTags } from './share-tags.ts';
import { recordingTitle } from './views.ts';

/** Scripts and styles of our own only; hls.js works in a blob worker and feeds the player from blobs. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const REFUSAL_STATUS: Readonly<Record<LinkRefusal, number>> = {
  invalid: 403,
  missing: 404,
  expired: 410,
  revoked: 410,
};

type PageContext = Pick<ApiContext, 'pagesDir' | 'gate' | 'recordings' | 'highlights' | 'links'>;

/** The pages people open, as vite built them: `watch.html` refers to `../../assets`, which is `/assets` from here. */
export function pageRoutes(context: PageContext): Router {
  const router = Router();
  router.use(
    '/assets',
    express.static(path.join(context.pagesDir, 'assets'), { immutable: true, maxAge: '1y' }),
  );
  router.get('/watch/:id', sendPage(context, 'watch'));
  router.get('/panel/:id', sendPage(context, 'panel'));
  router.get('/share/:id', sendPage(context, 'share'));
  return router;
}

/** The page itself says what is wrong with a link; the status says it to programs. */
function sendPage(context: PageContext, page: PageName): RequestHandler {
  return async (request, response) => {
    const template = await readPage(path.join(context.pagesDir, `src/web/${page}.html`));
    const { t } = request.query;
    const token = typeof t === 'string' ? t : '';
    const link = await openPageLink(context, { page, id: String(request.params.id), token });
    response.set({
      'Cache-Control': 'private, no-store',
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Content-Type': 'text/html; charset=utf-8',
      // The token is in the address: it must not leave with a link.
      'Referrer-Policy': 'no-referrer',
      // Whoever has the link may show it; search engines may not.
      'X-Robots-Tag': 'noindex',
    });
    response.status(statusOf(link)).send(fillPage(template, link, { context, request, token }));
  };
}

async function readPage(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const message = 'The pages are not built: run npm run build:pages';
    throw new ChalkreelError('pages-not-built', message, { fault: 'dependency', cause });
  }
}

function statusOf(link: PageLink): number {
  if (link.state === 'refused') return REFUSAL_STATUS[link.refusal];
  return link.state === 'unknown' ? 503 : 200;
}

const DATA_PLACE = '<script type="application/json" id="page-data">';

function fillPage(
  template: string,
  link: PageLink,
  page: { readonly context: PageContext; readonly request: Request; readonly token: string },
): string {
  const recording = 'recording' in link ? link.recording : undefined;
  const data: PageData = {
    refusal: link.state === 'refused' ? link.refusal : null,
    recordingTitle: recording === undefined ? null : recordingTitle(recording),
  };
  // Functions, since a replacement's text would be searched for `$&` and the like.
  const filled = template.replace(DATA_PLACE, (place) => place + scriptJson(data));
  if (link.state !== 'highlight') return filled;
  const { title, tags } = describeShare(link, page);
  return filled
    .replace(/<title>.*?<\/title>/, () => `<title>${escapeHtml(title)}</title>`)
    .replace('</head>', () => `  ${tags}\n  </head>`);
}

/** JSON that cannot end the element it stands in. */
function scriptJson(data: PageData): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

function describeShare(
  { highlight, recording }: Extract<PageLink, { state: 'highlight' }>,
  page: { readonly context: PageContext; readonly request: Request; readonly token: string },
): { readonly title: string; readonly tags: string } {
  const { id, clip, window: span } = highlight;
  const { baseUrl } = page.context.links(page.request);
  const token = encodeURIComponent(page.token);
  const folder = `${baseUrl}/t/${token}/v1/highlights/${id}`;
  const title = highlight.title ?? 'Saved moment';
  const length = `${Math.round((span.endMs - span.startMs) / 1000)} s`;
  const tags = renderShareTags({
    title,
    description:
      recording === undefined
        ? `A moment of ${length}`
        : `A moment of ${length} from ${recordingTitle(recording)}`,
    pageUrl: `${baseUrl}/share/${id}?t=${token}`,
    posterUrl: clip?.poster ? `${folder}/poster.jpg` : null,
    mp4Url: clip === null ? null : `${folder}/clip.mp4`,
    size: recording?.settings ?? null,
  });
  return { title, tags };
}
