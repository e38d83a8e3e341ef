import { z } from 'zod';
import { CLASS_LAYOUTS, CLASS_VIEWS, type LayoutChoice } from '../model/layout.ts';

/** Names of the layouts, wherever they are spoken of: signalling, creation, PATCH. */
export const layoutSchema = z.enum(CLASS_LAYOUTS, `expected one of ${CLASS_LAYOUTS.join(', ')}`);
const viewSchema = z.enum(CLASS_VIEWS, `expected one of ${CLASS_VIEWS.join(', ')}`);
const focusSchema = z.string().min(1).max(200);
const pageSchema = z.number().int().min(1, 'expected a page from 1').max(1000);

/** Fields of a class that say how it is to be arranged; without them signalling decides. */
export const layoutChoiceFields = {
  layout: layoutSchema.optional(),
  focus: focusSchema.optional(),
  view: viewSchema.optional(),
  page: pageSchema.optional(),
};

/** A choice as the recorder hands it to the page. */
export const layoutChoiceSchema = z.strictObject(layoutChoiceFields) satisfies z.ZodType<
  LayoutChoice,
  unknown
>;

/** Body of PATCH /v1/recordings/:id/layout. What is absent stays as it is; null gives it back to the class. */
export const changeLayoutSchema = z.strictObject({
  layout: layoutSchema.nullable().optional(),
  focus: focusSchema.nullable().optional(),
  view: viewSchema.nullable().optional(),
  page: pageSchema.nullable().optional(),
});
export type LayoutChange = z.infer<typeof changeLayoutSchema>;

/** The choice after a change. */
export function applyLayoutChange(choice: LayoutChoice, change: LayoutChange): LayoutChoice {
  return {
    layout: change.layout === undefined ? choice.layout : (change.layout ?? undefined),
    focus: change.focus === undefined ? choice.focus : (change.focus ?? undefined),
    view: change.view === undefined ? choice.view : (change.view ?? undefined),
    page: change.page === undefined ? choice.page : (change.page ?? undefined),
  };
}
