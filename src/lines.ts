/** Takes UTF-8 text as it comes and hands on each whole line without its end; call `end` for a last one that has none. */
export function readLines(onLine: (line: string) => void): {
  readonly take: (chunk: Uint8Array) => void;
  readonly end: () => void;
} {
  let pending = '';
  // Cut as bytes: a chunk may end within a character.
  const decode = (line: string): string => Buffer.from(line, 'latin1').toString();
  return {
    take: (chunk) => {
      const lines = (pending + Buffer.from(chunk).toString('latin1')).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) onLine(decode(line));
    },
    end: () => {
      if (pending !== '') onLine(decode(pending));
      pending = '';
    },
  };
}
