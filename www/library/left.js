/**
 * How many pictures were not looked at when the page was left: only what is known of pictures is kept, so that these are gone. It is noted
 * while the page goes, where nothing but this is quick enough, and told once.
 */

import { keepText, keptText } from '../kept-text.js';
import { count } from '../words.js';

const PLACE = 'ocelli-left';

/** @param {number} pictures */
export function noteLeft(pictures) {
  if (pictures > 0) keepText(PLACE, String(pictures));
}

/** @returns {number} how many were noted, which is not told again */
export function takeLeft() {
  const pictures = Number(keptText(PLACE));
  keepText(PLACE, null);
  return Number.isInteger(pictures) && pictures > 0 ? pictures : 0;
}

/** @param {number} pictures @param {boolean} again whether folders can be opened again @returns {string} what there is to say of them */
export function leftLine(pictures, again) {
  const [were, them] = pictures === 1 ? ['was', 'it'] : ['were', 'them'];
  const how = again ? `open the folder again, or choose ${them} again` : `choose ${them} again`;
  return `${count(pictures, 'picture')} ${were} not looked at yet when the page was left: ${how}.`;
}
