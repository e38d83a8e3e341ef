import { randomBytes } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { inputError } from '../errors.ts';
import { makeFolder } from '../folders.ts';

const secretsSchema = z.object({ apiKey: z.string().min(16), linkSecret: z.string().min(16) });

/**
 * Fills in the API key and the link secret where none is configured: made once and kept in `<dataDir>/secrets.json`, readable by its
 * owner alone, so that links and clients survive a restart. Throws `data-dir-not-writable`.
 */
export async function withSecrets(config: Config): Promise<Config> {
  if (config.apiKeys.length > 0 && config.linkSecrets.length > 0) return config;
  const file = path.join(config.dataDir, 'secrets.json');
  const secrets = (await findSecrets(file)) ?? (await makeSecrets(file));
  return {
    ...config,
    apiKeys: config.apiKeys.length > 0 ? config.apiKeys : [secrets.apiKey],
    linkSecrets: config.linkSecrets.length > 0 ? config.linkSecrets : [secrets.linkSecret],
  };
}

async function findSecrets(file: string): Promise<z.infer<typeof secretsSchema> | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return secretsSchema.parse(JSON.parse(text));
  } catch {
    throw inputError(
      'CHALKREEL_DATA_DIR',
      `${file} is damaged: delete it to have new secrets made`,
    );
  }
}

async function makeSecrets(file: string): Promise<z.infer<typeof secretsSchema>> {
  const make = (): string => randomBytes(24).toString('base64url');
  const secrets = { apiKey: make(), linkSecret: make() };
  const temporary = `${file}.${process.pid}`;
  try {
    await makeFolder(path.dirname(file));
    await writeFile(temporary, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
    await chmod(temporary, 0o600);
    await rename(temporary, file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const folder = path.dirname(file);
    const message = `The data folder ${folder} is not writable: ${reason}`;
    throw inputError('CHALKREEL_DATA_DIR', message, 'data-dir-not-writable');
  }
  return secrets;
}
