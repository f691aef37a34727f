/** Short texts that this browser keeps for the page, each at a place of its own. Where it keeps none, they hold for no other visit. */

/** @param {string} place @returns {string | null} null where there is none */
export function keptText(place) {
  try {
    return localStorage.getItem(place);
  } catch {
    return null;
  }
}

/**
 * @param {string} place
 * @param {string | null} text null to keep none there
 * @returns {boolean} whether it is kept: browsers may keep nothing, or have no more room
 */
export function keepText(place, text) {
  try {
    if (text === null) localStorage.removeItem(place);
    else localStorage.setItem(place, text);
    return true;
  } catch {
    return false;
  }
}
