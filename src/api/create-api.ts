import compression from 'compression';
import express, { Router, type Express, type RequestHandler } from 'express';
import { LinkGate } from '../access/link-gate.ts';
import { BriefMemory } from '../brief-memory.ts';
import { inputError } from '../errors.ts';
import { keyAccess, linkAccess } from './access.ts';
import { builtInProfiles } from '../protocol/reencode.ts';
import { BatchBoard } from '../queue/batch-board.ts';
import { nameProfiles } from '../queue/reencode-profiles.ts';
import type { ApiContext, ApiServices, ReencodeSettings } from './context.ts';
import { ClipPlans, type ClipPlansOptions } from './clip-plans.ts';
import { EntryCache } from './entry-cache.ts';
import { eraseRoutes } from './erase-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { favouriteRoutes } from './favourite-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { highlightListRoutes } from './highlight-list-routes.ts';
import { highlightRoutes } from './highlight-routes.ts';
import { layoutRoutes } from './layout-routes.ts';
import { mediaRoutes } from './media-routes.ts';
import { createMetrics } from './metrics.ts';
import { PlaylistCache } from './playlist-cache.ts';
import { pageRoutes } from './page-routes.ts';
import { problemHandler } from './problem.ts';
import { recordingMp4Routes } from './recording-mp4-routes.ts';
import { recordingRoutes } from './recording-routes.ts';
import { reencodeRoutes } from './reencode-routes.ts';
import { refuseDeleted } from './refuse-deleted.ts';
import { reportRoutes } from './report-routes.ts';
import { shareRoutes } from './share-routes.ts';
import { sourceRoutes } from './source-routes.ts';

/** How long a recording may still be seen in other processes after its deletion began. */
const DELETED_TTL_MS = 500;

/** The HTTP API and the pages. `/v1` takes a key; `/t/<token>/v1` is the same for holders of a signed link. */
export function createApi(services: ApiServices): Express {
  const context = createContext(services);
  const metrics = createMetrics(context);
  const v1 = Router();
  v1.use('/recordings/:id', refuseDeleted(context));
  // What is asked for most, and in a hurry, comes first.
  v1.use(
    mediaRoutes(context),
    highlightRoutes(context),
    recordingRoutes(context),
    reportRoutes(context),
    eventRoutes(context),
    sourceRoutes(context),
    layoutRoutes(context),
    recordingMp4Routes(context),
    highlightListRoutes(context),
    favouriteRoutes(context),
    shareRoutes(context),
    eraseRoutes(context),
    reencodeRoutes(context),
  );

  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.set('trust proxy', 'loopback');
  app.use(metrics.measure, safeHeaders, compressText);
  app.use('/v1', keyAccess(services.apiKeys), v1);
  app.use('/t/:token/v1', anyOrigin, linkAccess(context.gate), v1);
  app.use(healthRoutes(context));
  app.get('/metrics', metrics.send);
  app.use(pageRoutes(context));
  app.use((request) => {
    throw inputError('url', `There is no ${request.method} ${request.path}`, 'route-not-found');
  });
  app.use(problemHandler(services.log));
  return app;
}

function createContext(services: ApiServices): ApiContext {
  const { segments: index, recordings, clock, shares, linkSecrets: secrets } = services;
  const entries = new EntryCache(index);
  const playlists = new PlaylistCache({ entries, index, clock });
  const settle: ClipPlansOptions['settle'] = (recording, decided) =>
    playlists.settle(recording, decided);
  return {
    ...services,
    ...(services.reencoding ?? defaultReencoding()),
    board: new BatchBoard(services.redis.client),
    entries,
    playlists,
    clips: new ClipPlans({ recordings, index, settle }),
    deleted: new BriefMemory({
      ask: async (id) => (await recordings.find(id))?.deletedAtMs !== undefined,
      ttlMs: DELETED_TTL_MS,
      monotonicMs: () => clock.monotonicMs(),
    }),
    gate: new LinkGate({ secrets, clock, shares }),
    links: (request) => ({
      baseUrl: `${request.protocol}://${request.get('host') ?? 'localhost'}`,
      secrets: services.linkSecrets,
      nowMs: services.clock.nowMs(),
    }),
  };
}

function defaultReencoding(): ReencodeSettings {
  const settings = { cron: undefined, timeZone: 'UTC', endsAt: '06:00' };
  const profiles = nameProfiles(builtInProfiles(), ['avc-1080p-hls']);
  return { profiles, nights: { settings, times: undefined } };
}

/** Playlists, JSON and pages; media is as small as it gets, and does not pay for the question. */
const compressText: RequestHandler = (request, response, next) => {
  if (/\.(ts|mp4|jpg)$/.test(request.path)) next();
  else compress(request, response, next);
};

const compress: RequestHandler = compression({
  filter: (_request, response) =>
    /mpegurl|json|javascript|^text\//.test(String(response.getHeader('Content-Type'))),
});

const safeHeaders: RequestHandler = (_request, response, next) => {
  response.set('X-Content-Type-Options', 'nosniff');
  next();
};

/** A signed link plays in the platform's own pages: it carries its right in itself, no cookie is involved. */
const anyOrigin: RequestHandler = (request, response, next) => {
  response.set({
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': 'Content-Length, Content-Range, ETag, Retry-After',
  });
  if (request.method !== 'OPTIONS') {
    next();
    return;
  }
  response.set({
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    'Access-Control-Allow-Headers': 'Content-Type, Range, If-None-Match',
    'Access-Control-Max-Age': '86400',
  });
  response.status(204).end();
};
