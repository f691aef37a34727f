/** The name that somebody meant. */

/** Letters in which a name may differ from the one that was meant, and for how many of its letters one of them. */
const MOST_MISTAKES = 2;
const LETTERS_PER_MISTAKE = 2.5;
/** Letters of what was given that are looked at: it may be anything. */
const MOST_LETTERS = 100;

/**
 * The name that is nearest to the one given, if it is near: capitals, underscores and the like do not count.
 *
 * @param {string} given
 * @param {readonly string[]} names
 * @returns {string | undefined}
 */
export function nearest(given, names) {
  const plain = (/** @type {string} */ name) => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const wanted = plain(given.slice(0, MOST_LETTERS));
  const near = names
    .map((name) => ({ name, letters: plain(name).length, mistakes: distance(plain(name), wanted) }))
    .filter(({ letters, mistakes }) => mistakes <= Math.min(MOST_MISTAKES, letters / LETTERS_PER_MISTAKE))
    .sort((a, b) => a.mistakes - b.mistakes);
  return near[0]?.name;
}

/**
 * The distance of two short words: letters put in, left out, replaced, or swapped with their neighbour (optimal string
 * alignment).
 *
 * @param {string} a @param {string} b
 */
function distance(a, b) {
  /** Distances of the first `i` letters of `a` from the first `j` of `b`. @type {number[][]} */
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (/** @type {number} */ i, /** @type {number} */ j) => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(i - 1, j - 1) + Number(a[i - 1] !== b[j - 1]);
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? at(i - 2, j - 2) + 1 : Infinity;
      rows[i]?.push(Math.min(replaced, swapped, at(i - 1, j) + 1, at(i, j - 1) + 1));
    }
  }
  return at(a.length, b.length);
}
