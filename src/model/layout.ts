/** How Chalkreel's own classroom page may arrange a class. */
export const CLASS_LAYOUTS = [
  'one-to-one',
  'small-class',
  'large-class',
  'dual-teacher',
  'whiteboard',
  'spotlight',
  'gallery',
] as const;
export type ClassLayout = (typeof CLASS_LAYOUTS)[number];

/** Whose eyes a class is seen with: the teacher's, who looks at the students, or those of everybody else. */
export const CLASS_VIEWS = ['teacher', 'audience'] as const;
export type ClassView = (typeof CLASS_VIEWS)[number];

/** What nobody has said otherwise. */
export const DEFAULT_LAYOUT: ClassLayout = 'small-class';
export const DEFAULT_VIEW: ClassView = 'audience';

/** How the platform wants a class arranged. What is absent is left to the class itself. */
export type LayoutChoice = {
  readonly layout?: ClassLayout | undefined;
  /** The participant who is shown large, whomever the class has in its spotlight. */
  readonly focus?: string | undefined;
  readonly view?: ClassView | undefined;
  /** Page of the gallery, from 1; one beyond the last is the last. */
  readonly page?: number | undefined;
};

/** The choice within something that has more fields. */
export function layoutChoiceOf({ layout, focus, view, page }: LayoutChoice): LayoutChoice {
  return { layout, focus, view, page };
}
