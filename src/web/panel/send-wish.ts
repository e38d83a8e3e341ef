import { LinkRefused, RequestFailed, type PageApi } from '../common/page-api.ts';
import { refusalText } from '../common/page-data.ts';
import type { Wish } from './outbox.ts';

/** What the service made of a wish. */
export type Sent =
  | { readonly state: 'saved'; readonly highlightId: string }
  | { readonly state: 'refused'; readonly reason: string };

/** Sends a wish; the same one twice is one highlight. Throws where trying again may help. */
export async function sendWish(api: PageApi, wish: Wish): Promise<Sent> {
  try {
    const path = `recordings/${api.id}/highlights`;
    const { id } = await api.send<{ readonly id: string }>('POST', path, wish);
    return { state: 'saved', highlightId: id };
  } catch (error) {
    if (error instanceof LinkRefused) {
      return { state: 'refused', reason: refusalText(error.refusal) };
    }
    if (error instanceof RequestFailed && !error.isWorthRetrying) {
      return { state: 'refused', reason: error.message };
    }
    throw error;
  }
}
