import path from 'node:path';

const isSource = import.meta.filename.endsWith('.ts');
const root = path.resolve(import.meta.dirname, '../..');

/** How a role's program is run, as command line: by tsx from source, as it is from `dist/node`. `role` is its path, without extension. */
export function roleCommand(role: string): readonly [string, ...string[]] {
  if (!isSource) return [process.execPath, path.join(root, `${role}.js`)];
  return [process.execPath, '--import', import.meta.resolve('tsx'), path.join(root, `${role}.ts`)];
}
