/**
 * How many pictures were not looked at when the page was left: only what is known of pictures is kept, so that these are gone. It is noted
 * while the page goes, where nothing but this is quick enough, and told once.
 */

const PLACE = 'ocelli-left';

/** @param {number} count */
export function noteLeft(count) {
  try {
    if (count > 0) localStorage.setItem(PLACE, String(count));
  } catch {
    // Where nothing can be kept, nothing is told.
  }
}

/** @returns {number} how many were noted, which is not told again */
export function takeLeft() {
  try {
    const count = Number(localStorage.getItem(PLACE));
    localStorage.removeItem(PLACE);
    return Number.isInteger(count) && count > 0 ? count : 0;
  } catch {
    return 0;
  }
}
