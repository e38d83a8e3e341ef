import { boardPresenceSchema } from '../../../src/protocol/whiteboard.ts';

/** Somebody's laser pointer, on the page that is shown; place in board units. */
export type Laser = {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly isDown: boolean;
  readonly color: string;
};

const LASER_RED = '#e03131';
/** Lasers followed at once. */
const MAX_LASERS = 20;

/** Who points at a page with a laser, as the awareness has it. A pen that was put down stays, so that its trail can fade. */
export function readLasers(states: ReadonlyMap<number, unknown>, pageId: string): readonly Laser[] {
  return [...states]
    .flatMap(([id, state]): Laser[] => {
      const { data } = boardPresenceSchema.safeParse(state);
      if (data?.pointer.tool !== 'laser' || (data.page ?? pageId) !== pageId) return [];
      const { x, y } = data.pointer;
      return [{ id, x, y, isDown: data.button === 'down', color: data.user?.color ?? LASER_RED }];
    })
    .slice(0, MAX_LASERS);
}
