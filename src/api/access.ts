import type { Request, RequestHandler, Response } from 'express';
import { hasApiKey } from '../access/api-keys.ts';
import type { LinkGate } from '../access/link-gate.ts';
import type { Link, LinkRight } from '../access/links.ts';
import { ChalkreelError } from '../errors.ts';
import type { HighlightRepository } from '../storage/records/highlight-repository.ts';

/** Who asks: the platform with its key, or the holder of a signed link. */
export type Access = { readonly by: 'key' } | { readonly by: 'link'; readonly link: Link };

/** Lets in who has a key as bearer token. */
export function keyAccess(keys: readonly string[]): RequestHandler {
  return (request, response, next) => {
    if (!hasApiKey(request.get('Authorization'), keys)) {
      throw new ChalkreelError(
        'unauthorized',
        'Expected "Authorization: Bearer <key>" with a key of this service',
        {
          fault: 'input',
          details: { field: 'Authorization' },
        },
      );
    }
    setAccess(response, { by: 'key' });
    next();
  };
}

/** Lets in who has a signed link: the token is in the path, so that relative URIs inherit it. */
export function linkAccess(gate: LinkGate): RequestHandler {
  return async (request, response, next) => {
    setAccess(response, { by: 'link', link: await gate.open(String(request.params.token)) });
    next();
  };
}

export function accessOf(response: Response): Access {
  return (response.locals as { access: Access }).access;
}

/** The link that a request came by; undefined for the platform. */
export function linkOf(response: Response): Link | undefined {
  const access = accessOf(response);
  return access.by === 'link' ? access.link : undefined;
}

/** Routes for the platform alone. */
export const keyOnly: RequestHandler = (_request, response, next) => {
  if (accessOf(response).by !== 'key') {
    throw refused('key-needed', 'This needs a key; no link allows it');
  }
  next();
};

/** Routes of one recording, for the platform and for holders of its link with the right. */
export function allowed(kind: 'recording', right: LinkRight = 'play'): RequestHandler {
  return (request, response, next) => {
    const link = linkOf(response);
    if (link !== undefined) {
      if (link.kind !== kind || link.id !== idOf(request)) throw foreign();
      expectRight(link, right);
    }
    next();
  };
}

/**
 * Routes of one highlight, for the platform and for holders of its link, or of its recording's, with the right. Whoever has another
 * link is not told whether there is such a highlight.
 */
export function allowedHighlight(
  highlights: Pick<HighlightRepository, 'find'>,
  right: LinkRight = 'play',
): RequestHandler {
  return async (request, response, next) => {
    const link = linkOf(response);
    if (link !== undefined) {
      if (!(await isForHighlight(link, idOf(request), highlights))) throw foreign();
      expectRight(link, right);
    }
    next();
  };
}

async function isForHighlight(
  link: Link,
  id: string,
  highlights: Pick<HighlightRepository, 'find'>,
): Promise<boolean> {
  if (link.kind === 'highlight') return link.id === id;
  return (await highlights.find(id))?.recordingId === link.id;
}

/** Throws `right-missing` unless the link has the right. */
export function expectRight(link: Link, right: LinkRight): void {
  if (!link.rights.includes(right)) {
    throw refused('right-missing', `This link does not have the right "${right}"`);
  }
}

/** A good link, but of something else. */
export function foreign(): ChalkreelError {
  return refused('link-foreign', 'This link is not for this');
}

export function idOf(request: Request): string {
  return String(request.params.id);
}

function refused(code: string, message: string): ChalkreelError {
  return new ChalkreelError(code, message, { fault: 'input' });
}

function setAccess(response: Response, access: Access): void {
  (response.locals as { access: Access }).access = access;
}
