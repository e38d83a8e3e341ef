import type { Request, RequestHandler, Response } from 'express';
import { hasApiKey } from '../access/api-keys.ts';
import { verifyLink, type Link } from '../access/links.ts';
import type { Clock } from '../clock.ts';
import { ChalkreelError } from '../errors.ts';

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
export function linkAccess(options: {
  readonly secrets: readonly string[];
  readonly clock: Clock;
}): RequestHandler {
  return (request, response, next) => {
    const token = String(request.params.token);
    const link = verifyLink(token, options.secrets, options.clock.nowMs());
    if (link === undefined) throw forbidden('This link is not valid or has expired');
    setAccess(response, { by: 'link', link });
    next();
  };
}

export function accessOf(response: Response): Access {
  return (response.locals as { access: Access }).access;
}

/** Routes for the platform alone. */
export const keyOnly: RequestHandler = (_request, response, next) => {
  if (accessOf(response).by !== 'key')
    throw forbidden('This needs a key; the link does not allow it');
  next();
};

/** Routes of one thing, for the platform and for holders of its link. */
export function allowed(kind: Link['kind']): RequestHandler {
  return (request, response, next) => {
    if (!mayPlay(accessOf(response), kind, idOf(request))) {
      throw forbidden(`This link is not for this ${kind}`);
    }
    next();
  };
}

export function mayPlay(access: Access, kind: Link['kind'], id: string): boolean {
  if (access.by === 'key') return true;
  const { link } = access;
  return link.kind === kind && link.id === id && link.rights.includes('play');
}

export function forbidden(message: string): ChalkreelError {
  return new ChalkreelError('forbidden', message, { fault: 'input' });
}

export function idOf(request: Request): string {
  return String(request.params.id);
}

function setAccess(response: Response, access: Access): void {
  (response.locals as { access: Access }).access = access;
}
