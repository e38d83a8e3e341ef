import { make, setText } from '../common/dom.ts';
import type { HighlightView } from '../common/page-api.ts';
import { UNTITLED } from '../common/text.ts';
import { toast } from '../common/toast.ts';

const MAX_TITLE = 200;

/** A title that can be changed where it stands. */
export type TitleEditor = {
  readonly element: HTMLElement;
  /** A title that cannot be changed yet. */
  show(title: string): void;
  edit(highlight: HighlightView): void;
  /** Opens the field. */
  begin(): void;
};

/** `rename` throws with a sentence for people: then the old title comes back. */
export function createTitleEditor(
  rename: (highlight: HighlightView, title: string) => Promise<void>,
): TitleEditor {
  const heading = make('h3', { dir: 'auto' });
  const field = make('input', {
    type: 'text',
    dir: 'auto',
    maxLength: MAX_TITLE,
    ariaLabel: 'Title',
  });
  const save = make('button', { type: 'submit', className: 'button main', textContent: 'Save' });
  const cancel = make('button', { type: 'button', textContent: 'Cancel' });
  const form = make('form', { className: 'rename', hidden: true }, field, save, cancel);
  const box = make('div', { className: 'title' }, heading, form);
  let highlight: HighlightView | undefined;
  /** What was typed, until the service lists another title than before. */
  let wanted: string | undefined;
  let opener: Element | null = null;
  const open = (isOpen: boolean): void => {
    form.hidden = !isOpen;
    heading.hidden = isOpen;
    if (!isOpen && opener instanceof HTMLElement) opener.focus();
  };
  const submit = async (): Promise<void> => {
    if (highlight === undefined) return;
    const title = field.value.trim();
    open(false);
    if (title === '' || title === highlight.title) return;
    wanted = title;
    setText(heading, title);
    try {
      await rename(highlight, title);
    } catch (error) {
      wanted = undefined;
      setText(heading, highlight.title ?? UNTITLED);
      toast(`The title stays as it was: ${error instanceof Error ? error.message : 'no answer'}`);
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  cancel.addEventListener('click', () => open(false));
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') open(false);
  });
  return {
    element: box,
    show: (title) => setText(heading, title),
    edit(next) {
      if (next.title !== highlight?.title) wanted = undefined;
      highlight = next;
      setText(heading, wanted ?? next.title ?? UNTITLED);
    },
    begin() {
      field.value = wanted ?? highlight?.title ?? '';
      opener = document.activeElement;
      open(true);
      field.focus();
      field.select();
    },
  };
}
