import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { BatchConfig } from '../config.ts';
import { inputError } from '../errors.ts';
import type { Recording } from '../model/recording.ts';
import type { ReencodeProfile } from '../model/reencode.ts';
import { builtInProfiles, operatorProfileSchema } from '../protocol/reencode.ts';

/** The profiles that may be asked for by name, and those of the night. */
export type ReencodeProfiles = {
  readonly byName: ReadonlyMap<string, ReencodeProfile>;
  readonly nightly: readonly ReencodeProfile[];
};

const FILE_SETTING = 'CHALKREEL_REENCODE_PROFILES';
const NIGHT_SETTING = 'CHALKREEL_BATCH_PROFILES';
/** What a recording of sound alone is re-encoded into, where the night's profiles have pictures only. */
const SOUND_PROFILE = 'audio';

/** Reads the operator's profiles and names the night's. Throws an input error that says which setting is at fault, and where. */
export async function loadProfiles(
  config: Pick<BatchConfig, 'profiles' | 'profilesFile'>,
): Promise<ReencodeProfiles> {
  const own = config.profilesFile === undefined ? [] : await readProfiles(config.profilesFile);
  return nameProfiles([...builtInProfiles(), ...own], config.profiles);
}

/** The same of profiles that are known; a later one of a name stands. Throws when a nightly one is not among them. */
export function nameProfiles(
  known: readonly ReencodeProfile[],
  nightly: readonly string[],
): ReencodeProfiles {
  const byName = new Map(known.map((one) => [one.name, one] as const));
  return {
    byName,
    nightly: nightly.map((name) => {
      const profile = byName.get(name);
      if (profile !== undefined) return profile;
      const names = [...byName.keys()].join(', ');
      throw inputError(NIGHT_SETTING, `${NIGHT_SETTING}: expected some of ${names}; got ${name}`);
    }),
  };
}

/** What of some profiles makes sense for a recording: of sound alone there are no pictures to encode. */
export function profilesFor(
  { settings }: Pick<Recording, 'settings'>,
  { nightly, byName }: ReencodeProfiles,
): readonly ReencodeProfile[] {
  if (settings.media === 'audio-video') return nightly;
  const ofSound = nightly.filter(({ video }) => video === null);
  const fallback = byName.get(SOUND_PROFILE);
  return ofSound.length > 0 || fallback === undefined ? ofSound : [fallback];
}

async function readProfiles(file: string): Promise<readonly ReencodeProfile[]> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(FILE_SETTING, `${FILE_SETTING}: expected a file of JSON at ${file}: ${why}`);
  }
  const parsed = z.array(operatorProfileSchema).safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = (issue?.path ?? []).join('.') || 'the whole';
  throw inputError(
    FILE_SETTING,
    `${FILE_SETTING}: ${file}: ${where}: ${issue?.message ?? 'invalid'}`,
  );
}
