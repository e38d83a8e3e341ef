import { Resources } from '../../src/lifecycle.ts';

const open = new Set<Resources>();

/** Resources that are also closed when this process is told to end: see `closeAll`. */
export function openResources(): Resources {
  const resources = new Resources();
  open.add(resources);
  resources.defer(() => void open.delete(resources));
  return resources;
}

/** Ends everything that was started and is not closed yet. */
export async function closeAll(): Promise<void> {
  await Promise.allSettled([...open].map((resources) => resources.close()));
}
