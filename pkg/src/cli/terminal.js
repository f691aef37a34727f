/** What people read in a terminal. */

/** Characters that move the cursor, change colours, or turn the order of letters around. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A text on one line: names of files may hold whatever a terminal obeys.
 *
 * @param {string} text
 */
export function printable(text) {
  return text.replace(CONTROL, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Tells a sentence on standard error. @param {string} sentence */
export function tell(sentence) {
  process.stderr.write(`ocelli: ${printable(sentence)}\n`);
}

/** @param {number} count @param {string} what one of them is @returns {string} "1 picture", "2 pictures" */
export function amount(count, what) {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
