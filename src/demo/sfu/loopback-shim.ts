import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ChalkreelError } from '../../errors.ts';
import { findProgram } from '../../programs.ts';

/**
 * Janus gathers no ICE candidates on loopback interfaces (its ice.c skips IFF_LOOPBACK, whatever is configured), and a demo must
 * not leave its machine. Put before libc, this shows Janus the loopback address as that of an ordinary interface, and no other.
 * It needs no header, so that a bare compiler will do.
 */
const SOURCE = `
struct ifaddrs { struct ifaddrs *next; char *name; unsigned flags; unsigned short *addr; };
extern void *dlsym(void *handle, const char *symbol);
#define RTLD_NEXT ((void *) -1l)
#define IFF_LOOPBACK 0x8
#define AF_INET 2
int getifaddrs(struct ifaddrs **out) {
  int (*real)(struct ifaddrs **) = (int (*)(struct ifaddrs **)) dlsym(RTLD_NEXT, "getifaddrs");
  int result = real(out);
  struct ifaddrs *each;
  if (result != 0) return result;
  for (each = *out; each; each = each->next) {
    int is_loopback = (each->flags & IFF_LOOPBACK) && each->addr && *each->addr == AF_INET;
    each->flags = is_loopback ? each->flags & ~IFF_LOOPBACK : 0;
  }
  return 0;
}
`;

/** Builds it into a folder; resolves to the file for LD_PRELOAD. Needs tcc, cc or gcc. */
export async function buildLoopbackShim(folder: string): Promise<string> {
  const compiler = findProgram('tcc', 'cc', 'gcc');
  if (compiler === undefined) {
    throw new ChalkreelError('program-missing', 'Expected a C compiler on PATH: tcc, cc or gcc.', {
      fault: 'dependency',
    });
  }
  const [source, library] = ['loopback.c', 'loopback.so'].map((name) => path.join(folder, name));
  if (source === undefined || library === undefined) throw new Error('no file names');
  await writeFile(source, SOURCE);
  const args = ['-shared', '-fPIC', '-nostdlib', '-o', library, source];
  const child = spawn(compiler, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return library;
  const message = `${compiler} ${args.join(' ')} ended with ${String(code)}: ${stderr.trim()}`;
  throw new ChalkreelError('compile-failed', message, { fault: 'dependency' });
}
