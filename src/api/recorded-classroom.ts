import { ChalkreelError } from '../errors.ts';
import { isFinal, type Recording, type RecordingSource } from '../model/recording.ts';

/** The source of a recording of a classroom that is not over yet, to be changed. Throws `no-classroom`, `recording-final`, in those words. */
export function recordedClassroom(
  { id, state, source }: Recording,
  words: { readonly aPage: string; readonly changesNoMore: string },
): Extract<RecordingSource, { readonly kind: 'classroom' }> {
  if (source.kind !== 'classroom') {
    throw refusal('no-classroom', `Recording ${id} is of a page, which ${words.aPage}`);
  }
  if (isFinal(state)) {
    throw refusal('recording-final', `Recording ${id} is ${state}: its ${words.changesNoMore}`);
  }
  return source;
}

function refusal(code: string, message: string): ChalkreelError {
  return new ChalkreelError(code, message, { fault: 'input', details: { field: 'id' } });
}
