import { inputError } from '../../errors.ts';
import {
  CLASS_LAYOUTS,
  CLASS_VIEWS,
  type ClassLayout,
  type ClassView,
} from '../../model/layout.ts';
import type { ClassroomSource } from '../../model/recording.ts';

/** The demo's words on the command line. */
export type DemoOptions = {
  readonly seconds: string;
  readonly out?: string;
  readonly json?: true;
  readonly keep?: true;
  readonly sources?: string;
  readonly layout?: string;
  readonly view?: string;
  readonly size?: string;
};

/** What they mean. */
export type DemoPlan = {
  readonly seconds: number;
  /** What the recording's settings say of the picture. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly layout: ClassLayout | undefined;
  readonly view: ClassView | undefined;
};

/** How the demo's cameras may reach the class. */
const CAMERA_SOURCES = ['whep', 'hls'] as const;
const MIN_SECONDS = 5;
const MAX_SECONDS = 86_400;
/** What the classroom page needs to show somebody, and what H.264 at these rates is meant for. */
const MIN_SIDE = 320;
const MAX_SIDE = 1920;

/** Reads the words; throws an input error that names the one at fault. */
export function planDemo({ seconds, sources, layout, view, size }: DemoOptions): DemoPlan {
  oneOf('sources', sources, CAMERA_SOURCES);
  return {
    seconds: parseSeconds(seconds),
    layout: oneOf('layout', layout, CLASS_LAYOUTS),
    view: oneOf('view', view, CLASS_VIEWS),
    size: size === undefined ? undefined : parseSize(size),
  };
}

/** The demo's class as the platform wants it shown. In a dual-teacher class the first student's place is the tutor's. */
export function arrangeClass(
  classroom: ClassroomSource,
  { layout, view }: DemoPlan,
): ClassroomSource {
  const sources = classroom.sources.map((source, i) =>
    layout === 'dual-teacher' && i === 1 ? { ...source, role: 'tutor' as const } : source,
  );
  return {
    ...{ ...classroom, sources },
    ...(layout === undefined ? {} : { layout }),
    ...(view === undefined ? {} : { view }),
  };
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= MIN_SECONDS && seconds <= MAX_SECONDS) return seconds;
  throw inputError('seconds', `seconds: expected ${MIN_SECONDS} to ${MAX_SECONDS}, got "${text}"`);
}

function parseSize(text: string): { readonly width: number; readonly height: number } {
  const [width = 0, height = 0] = (/^(\d+)x(\d+)$/.exec(text) ?? []).slice(1).map(Number);
  const isGood = [width, height].every(
    (side) => side >= MIN_SIDE && side <= MAX_SIDE && side % 2 === 0,
  );
  if (isGood) return { width, height };
  const expected = `even numbers of pixels from ${MIN_SIDE} to ${MAX_SIDE}, such as 720x1280`;
  throw inputError('size', `size: expected ${expected}, got "${text}"`);
}

function oneOf<T extends string>(
  name: string,
  text: string | undefined,
  known: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw inputError(
    name,
    `${name}: expected ${known.join(', ').replace(/, ([^,]*)$/, ' or $1')}, got "${text}"`,
  );
}
