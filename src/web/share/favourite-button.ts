import { element } from '../common/dom.ts';
import { icon } from '../common/icons.ts';
import type { HighlightView, PageApi } from '../common/page-api.ts';
import { toast } from '../common/toast.ts';

/** The heart: what is pressed shows at once, and goes back when the service does not take it. */
export type FavouriteButton = { update(highlight: HighlightView): void };

/** Makes the page's `#favourite` work, for holders of a link with the right. */
export function createFavouriteButton(api: PageApi): FavouriteButton {
  const button = element('favourite', HTMLButtonElement);
  const label = document.createElement('span');
  button.replaceChildren(icon('heart'), label);
  /** What was pressed last, until the service has it. */
  let wanted: boolean | undefined;
  let isOn = false;
  const show = (value: boolean): void => {
    button.ariaPressed = String(value);
    label.textContent = value ? 'Favourite' : 'Add to favourites';
  };
  const save = async (value: boolean): Promise<void> => {
    wanted = value;
    show(value);
    try {
      await api.send(value ? 'PUT' : 'DELETE', `highlights/${api.id}/favourite`);
      isOn = value;
    } catch {
      toast('This could not be saved. Check the connection and try again.');
    }
    if (wanted === value) wanted = undefined;
    show(wanted ?? isOn);
  };
  button.addEventListener('click', () => void save(!(wanted ?? isOn)));
  return {
    update(highlight) {
      button.hidden = !highlight.rights.includes('favourite');
      isOn = highlight.isFavourite;
      show(wanted ?? isOn);
    },
  };
}
