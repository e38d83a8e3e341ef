import { asChalkreelError } from '../../errors.ts';
import type { Highlight } from '../../model/highlight.ts';
import { objectKeys } from '../keys.ts';
import type { ObjectStore } from '../objects/object-store.ts';

/**
 * The highlight as the store has it; undefined when it has none, or no more than its name. Throws a SyntaxError for a record that is
 * broken, and what the store throws.
 */
export async function findStoredHighlight(
  store: ObjectStore,
  id: string,
): Promise<Highlight | undefined> {
  for (const key of placesOf(id)) {
    const text = await readText(store, key);
    if (text !== '') return JSON.parse(text) as Highlight;
  }
  return undefined;
}

/** Whether the store has the highlight, or its name. */
export async function isHighlightStored(store: ObjectStore, id: string): Promise<boolean> {
  for (const key of placesOf(id)) if ((await store.find(key)) !== undefined) return true;
  return false;
}

/** Where a record is looked for: of one that changes and ends meanwhile the first is there before the second is gone. */
function placesOf(id: string): readonly string[] {
  return [objectKeys.highlight(id), objectKeys.openHighlight(id), objectKeys.highlight(id)];
}

/** Empty when there is no such object. */
async function readText(store: ObjectStore, key: string): Promise<string> {
  try {
    return (await store.read(key)).toString();
  } catch (error) {
    if (asChalkreelError(error).code === 'object-not-found') return '';
    throw error;
  }
}
