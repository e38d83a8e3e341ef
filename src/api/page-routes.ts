import { existsSync } from 'node:fs';
import path from 'node:path';
import express, { Router, type Request } from 'express';
import { ChalkreelError } from '../errors.ts';
import type { ApiContext } from './context.ts';
import { toProblem } from './problem.ts';

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
export function pageRoutes(context: Pick<ApiContext, 'pagesDir' | 'gate'>): Router {
  const router = Router();
  const watchPage = path.join(context.pagesDir, 'src/web/watch.html');
  router.use(
    '/assets',
    express.static(path.join(context.pagesDir, 'assets'), { immutable: true, maxAge: '1y' }),
  );
  router.get('/watch/:id', async (request, response) => {
    if (!existsSync(watchPage)) {
      const message = 'The pages are not built: run npm run build:pages';
      throw new ChalkreelError('pages-not-built', message, { fault: 'dependency' });
    }
    const status = await statusOfLink(context.gate, request);
    response.set({
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      // The token is in the address: it must not leave with a link.
      'Referrer-Policy': 'no-referrer',
    });
    // The page itself says what is wrong with a link; the status says it to programs.
    response.status(status).sendFile(watchPage);
  });
  return router;
}

async function statusOfLink(gate: ApiContext['gate'], request: Request): Promise<number> {
  try {
    const link = await gate.open(String(request.query.t));
    return link.kind === 'recording' && link.id === request.params.id ? 200 : 403;
  } catch (error) {
    return toProblem(error).status;
  }
}
