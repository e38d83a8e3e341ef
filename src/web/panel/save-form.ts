import { announce, element, setText } from '../common/dom.ts';
import { icon } from '../common/icons.ts';

/** Kept after a press as well: what is worth keeping seldom ends at once. */
export const AFTER_MS = 5000;
/** Two presses within this are one: a thumb that trembles, or doubts. */
const DOUBLE_PRESS_MS = 2000;
const CONFIRMED_FOR_MS = 1600;

/** The dock at the thumb: how much before, an optional title, and the button. */
export type SaveForm = {
  /** Of the span chosen. */
  readonly beforeMs: number;
  setEnabled(isEnabled: boolean): void;
};

/** Answers every press at once; `onSave` is called for those that are not a second one of the same. */
export function createSaveForm(options: {
  readonly onSave: (wish: { readonly beforeMs: number; readonly title: string }) => void;
  readonly onChanged: () => void;
}): SaveForm {
  const form = element('dock', HTMLFormElement);
  const save = element('save', HTMLButtonElement);
  const title = element('moment-title', HTMLInputElement);
  let lastPressMs = -Infinity;
  const beforeMs = (): number => Number(new FormData(form).get('before'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (save.disabled) return;
    // Time since the page was opened: it never steps.
    const isDouble = event.timeStamp - lastPressMs < DOUBLE_PRESS_MS;
    confirmPress(save, isDouble);
    if (isDouble) return;
    lastPressMs = event.timeStamp;
    options.onSave({ beforeMs: beforeMs(), title: title.value.trim() });
    title.value = '';
    // A phone's keyboard would hide the card that appears.
    if (document.activeElement === title) title.blur();
  });
  const showSpan = (): void => {
    setText(element('save-span'), `the last ${beforeMs() / 1000} seconds`);
  };
  form.addEventListener('change', () => {
    showSpan();
    options.onChanged();
  });
  // A browser may bring back what was chosen before a reload.
  showSpan();
  return {
    get beforeMs() {
      return beforeMs();
    },
    setEnabled(isEnabled) {
      save.disabled = !isEnabled;
    },
  };
}

let confirmed: ReturnType<typeof setTimeout> | undefined;

/** Seen, felt and heard, whatever the network does. */
function confirmPress(save: HTMLElement, isDouble: boolean): void {
  const label = element('save-label');
  label.replaceChildren(icon('check'), isDouble ? 'Got it already' : 'Got it');
  save.dataset.pressed = 'true';
  // Not there on iPhones.
  if ('vibrate' in navigator) navigator.vibrate(isDouble ? 15 : 40);
  announce(isDouble ? 'This moment was taken already' : 'Moment taken');
  clearTimeout(confirmed);
  confirmed = setTimeout(() => {
    delete save.dataset.pressed;
    label.replaceChildren('Save this moment');
    announce('');
  }, CONFIRMED_FOR_MS);
}
