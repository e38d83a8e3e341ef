import { make } from './dom.ts';
import type { HighlightView } from './page-api.ts';
import { UNTITLED } from './text.ts';
import { toast } from './toast.ts';

/** Passes a highlight's share page on, and says what became of it: by the phone's own sheet, else over the clipboard, else by showing it. */
export async function shareHighlight({ title, links }: HighlightView): Promise<void> {
  const link = { title: title ?? UNTITLED, url: links.share };
  if (isPhone() && 'share' in navigator) {
    try {
      await navigator.share(link);
      return;
    } catch (error) {
      // The sheet was closed without choosing anyone.
      if (error instanceof DOMException && error.name === 'AbortError') return;
    }
  }
  if (await copy(link.url)) toast('Link copied');
  else showLink(link.url);
}

/** On a desktop the clipboard is what people expect. */
function isPhone(): boolean {
  return window.matchMedia('(pointer: coarse)').matches;
}

/** The clipboard is there on https and this machine only. */
async function copy(text: string): Promise<boolean> {
  if (!window.isSecureContext) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function showLink(url: string): void {
  const field = make('input', {
    type: 'text',
    readOnly: true,
    value: url,
    className: 'link',
    ariaLabel: 'Link',
  });
  const close = make('button', { type: 'button', textContent: 'Close' });
  const text = make('p', { textContent: 'Copy this link:' });
  const dialog = make('dialog', { className: 'link-dialog' }, text, field, close);
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  field.focus();
  field.select();
}
