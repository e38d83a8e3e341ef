import type { RequestHandler } from 'express';
import { inputError } from '../errors.ts';
import { idOf, linkOf } from './access.ts';
import type { ApiContext } from './context.ts';

/**
 * Keeps from sight recordings that are being deleted: what is left of them is there for clips that have no media of their own yet. A clip's
 * link goes on opening that clip's segments, and `erase` may be asked for again.
 */
export function refuseDeleted({ deleted }: Pick<ApiContext, 'deleted'>): RequestHandler {
  return async (request, response, next) => {
    const id = idOf(request);
    const isErase = request.method === 'POST' && request.path === '/erase';
    if (linkOf(response)?.kind !== 'highlight' && !isErase && (await deleted.get(id))) {
      throw inputError('id', `There is no recording ${id}`, 'recording-not-found');
    }
    next();
  };
}
