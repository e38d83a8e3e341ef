import path from 'node:path';
import type { RoleSpec } from '../../src/cli/supervisor.ts';

const script = path.resolve(import.meta.dirname, '../fixtures/roles/role.ts');

/** A tiny role as the supervisor sees it. */
export function fixtureRole(name: string, ...flags: string[]): RoleSpec {
  return {
    name,
    command: [process.execPath, '--import', import.meta.resolve('tsx'), script, name, ...flags],
    stopGraceMs: 3000,
    ...(flags.includes('--http') ? { announces: 'port' as const } : {}),
  };
}

/** An api and a worker. */
export function fixtureRoles(): readonly RoleSpec[] {
  return [fixtureRole('api', '--http'), fixtureRole('worker')];
}
