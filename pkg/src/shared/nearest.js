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

/** The Levenshtein distance of two short words. @param {string} a @param {string} b */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = Number(row[j]) + Number(a[i] !== b[j]);
      next.push(Math.min(replaced, Number(row[j + 1]) + 1, Number(next[j]) + 1));
    }
    row = next;
  }
  return Number(row[b.length]);
}
