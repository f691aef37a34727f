/**
 * Where the settings are: in a wide window beside the pictures or above them; in a narrow one a sheet over them, which a button at
 * their head opens, as nobody would find what lies below a long grid.
 */

import { on } from './elements/dom.js';

const WIDE = '(min-width: 60rem)';

/**
 * @param {object} page
 * @param {HTMLElement} page.section the settings
 * @param {HTMLElement} page.opener the button that opens the sheet; `popovertarget` says of what
 * @param {HTMLElement} page.pictures what the events of cards arrive at
 * @param {(selector: string) => any} page.find an element of the page
 * @param {import('./gallery.js').Gallery} page.gallery
 */
export function placeSettings({ section, opener, pictures, find, gallery }) {
  const wide = matchMedia(WIDE);
  let hasPictures = false;

  const place = () => {
    const isSheet = hasPictures && !wide.matches && 'popover' in section;
    opener.hidden = !isSheet;
    if (isSheet === section.hasAttribute('popover')) return;
    const inUse = section.contains(document.activeElement);
    if (!isSheet) section.removeAttribute('popover');
    else section.setAttribute('popover', 'auto');
    // Under somebody's hands it stays open.
    if (isSheet && inUse) section.showPopover();
  };

  /** Brings a choice of models into view, and the keyboard there. @param {string} picker @param {...string} panels that it is in */
  const show = (picker, ...panels) => {
    // What lies over the page would hide it.
    gallery.shut({ back: false });
    for (const panel of panels) find(panel).open = true;
    if (section.hasAttribute('popover')) section.showPopover();
    find(picker).takeFocus();
  };
  on(pictures, 'stronger', () => show('#tag-picker', '#models-panel'));
  on(pictures, 'need', (task) => show(`#${task}-picker`, '#models-panel', '#more-models'));

  // What somebody opens at the lower edge is to be seen.
  const reveal = (/** @type {Event} */ { target }) => {
    const isOpened = target instanceof HTMLDetailsElement && target.open;
    if (isOpened && target.contains(document.activeElement)) target.scrollIntoView({ block: 'nearest' });
  };
  // Told of each panel alone: it does not bubble.
  section.addEventListener('toggle', reveal, true);
  wide.addEventListener('change', place);
  // A wide window has room for what is asked; on a phone it would push the pictures out of sight.
  if (wide.matches) for (const panel of firstPanels()) panel.open = true;
  place();

  return {
    /** @param {boolean} some whether there are pictures @param {boolean} many whether there are more than can be cards */
    show(some, many) {
      hasPictures = some;
      place();
      if (many && !document.body.hasAttribute('data-many')) {
        // What nobody has opened closes.
        for (const panel of firstPanels()) if (!panel.contains(document.activeElement)) panel.open = false;
      }
      document.body.toggleAttribute('data-many', many);
    },
  };
}

/** Those that a wide window begins with. @returns {NodeListOf<HTMLDetailsElement>} */
function firstPanels() {
  return document.querySelectorAll('details[data-first]');
}
