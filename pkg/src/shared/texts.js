/** Texts as the wasm judges them. */

/** How many characters a text has at most that is matched or embedded, or that is a label. */
const MAX_CHARACTERS = 1000;

/**
 * Whether a text is nothing but white space.
 *
 * @param {string} text
 */
export function isBlank(text) {
  return !/\P{White_Space}/u.test(text);
}

/**
 * The beginning of a text, as much of it as is accepted. Characters are code points here, not JavaScript's units.
 *
 * @param {string} text
 */
export function beginning(text) {
  return text.length > MAX_CHARACTERS ? [...text].slice(0, MAX_CHARACTERS).join('') : text;
}
