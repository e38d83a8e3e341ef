import { readFile } from 'node:fs/promises';
import { processesWith } from './processes.ts';

/** More than any renderer of ours takes: the page that holds it is told from the others by it. */
export const BALLAST_MB = 300;

/** Put into a page, makes its renderer recognisable. */
export const BALLAST = `<script>globalThis.ballast = new Uint8Array(${BALLAST_MB} * 2 ** 20).fill(1)</script>`;

/** Process ids of the renderers, among the marked processes, that show a page with ballast. */
export async function renderersWithBallast(marker: string): Promise<number[]> {
  const renderers = (await processesWith(marker)).filter(({ command }) =>
    command.includes('--type=renderer'),
  );
  const sizes = await Promise.all(renderers.map(({ pid }) => readAnonymousMb(pid)));
  return renderers.flatMap(({ pid }, i) => ((sizes[i] ?? 0) > BALLAST_MB ? [pid] : []));
}

/** Memory of its own, MB (proc(5): RssAnon, kB); 0 when the process is gone. */
async function readAnonymousMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}
