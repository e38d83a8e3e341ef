import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** A recording made into a folder by the recorder role itself. */
export type RecordedPage = {
  readonly folder: string;
  readonly playlist: string;
  /** Time of the first segment's start, Unix ms. */
  readonly originMs: number;
  /** Files of the segments, in order. */
  readonly segments: readonly string[];
  readonly report: unknown;
};

/** Records a page with `recorder/main.ts --once`, as `chalkreel record` does; throws with what it said when that fails. */
export async function recordPage(options: {
  readonly url: string;
  readonly folder: string;
  readonly seconds: number;
  readonly args?: readonly string[];
}): Promise<RecordedPage> {
  const { url, folder, seconds, args = [] } = options;
  const child = spawn(
    process.execPath,
    [
      ...['--import', import.meta.resolve('tsx'), path.resolve('recorder/main.ts')],
      ...[`--once=${url}`, `--out=${folder}`, `--seconds=${seconds}`, '--json', ...args],
    ],
    {
      env: { ...process.env, CHALKREEL_LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`recording ${url} ended with ${String(code)}: ${stderr}`);
  return readRecording(folder);
}

async function readRecording(folder: string): Promise<RecordedPage> {
  const playlist = path.join(folder, 'index.m3u8');
  const text = await readFile(playlist, 'utf8');
  const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return {
    folder,
    playlist,
    originMs: Date.parse(/^#EXT-X-PROGRAM-DATE-TIME:(.+)$/m.exec(text)?.[1] ?? ''),
    segments: uris.map((uri) => path.join(folder, uri)),
    report: JSON.parse(await readFile(path.join(folder, 'report.json'), 'utf8')),
  };
}
