import type { ClassroomSource, StreamSource } from '../../src/model/recording.ts';
import { classroomSourceSchema } from '../../src/protocol/classroom.ts';

/**
 * The class to show: `window.chalkreelClassroom` where the recorder put one, else the URL's fragment,
 * `#` and base64url of the JSON. Throws an Error that names the field at fault.
 */
export function loadClassroomSource(): ClassroomSource {
  const given = window.chalkreelClassroom ?? decodeFragment(location.hash.slice(1));
  const result = classroomSourceSchema.safeParse(given);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Error(
    `Classroom: ${['source', ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'invalid'}`,
  );
}

/** Streams as the recorder hands them over. Throws a ZodError. */
export function parseSources(sources: unknown): readonly StreamSource[] {
  return classroomSourceSchema.shape.sources.parse(sources);
}

function decodeFragment(fragment: string): unknown {
  if (fragment === '') throw new Error('Classroom: expected a class after # in the URL.');
  try {
    const base64 = fragment.replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new Error('Classroom: expected base64url of JSON after # in the URL.', { cause });
  }
}
