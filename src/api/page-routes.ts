import { existsSync } from 'node:fs';
import path from 'node:path';
import express, { Router } from 'express';
import { verifyLink } from '../access/links.ts';
import { ChalkreelError } from '../errors.ts';
import type { ApiContext } from './context.ts';

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

/** The pages people open, as vite built them: `watch.html` refers to `../../assets`, which is `/assets` from here. */
export function pageRoutes(
  context: Pick<ApiContext, 'pagesDir' | 'linkSecrets' | 'clock'>,
): Router {
  const router = Router();
  const watchPage = path.join(context.pagesDir, 'src/web/watch.html');
  router.use(
    '/assets',
    express.static(path.join(context.pagesDir, 'assets'), { immutable: true, maxAge: '1y' }),
  );
  router.get('/watch/:id', (request, response) => {
    if (!existsSync(watchPage)) {
      const message = 'The pages are not built: run npm run build:pages';
      throw new ChalkreelError('pages-not-built', message, { fault: 'dependency' });
    }
    const token = request.query.t;
    const link =
      typeof token === 'string'
        ? verifyLink(token, context.linkSecrets, context.clock.nowMs())
        : undefined;
    const isGood = link?.kind === 'recording' && link.id === request.params.id;
    response.set({
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      // The token is in the address: it must not leave with a link.
      'Referrer-Policy': 'no-referrer',
    });
    // The page itself says what is wrong with a link; the status says it to programs.
    response.status(isGood ? 200 : 403).sendFile(watchPage);
  });
  return router;
}
