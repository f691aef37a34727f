/**
 * What somebody types to find pictures: words, with a plus or a minus in front of those that are to be there, or not to be.
 *
 * @typedef {object} Words
 * @property {string[]} wanted those that pictures are to show
 * @property {string[]} absent those that they are not to show
 */

/** A query whose signs stand alone: "food -pizza" is how most people write it. @param {string} query */
function spaced(query) {
  return query.trim().replace(/(^|\s)([+-])(?=[^\s+-])/g, '$1$2 ');
}

/** A query as the package wants it, of its words: what is wanted comes first. @param {Words} words */
export function written({ wanted, absent }) {
  return [wanted.join(' + '), ...absent].join(' - ');
}

/**
 * The words of a query.
 * @param {string} query
 * @returns {Words}
 */
export function wordsOf(query) {
  const [first = '', ...signed] = ` ${spaced(query)}`.split(/\s([+-])(?=\s|$)/);
  const wanted = [first.trim()];
  /** @type {string[]} */
  const absent = [];
  for (let at = 0; at < signed.length; at += 2) {
    (signed[at] === '-' ? absent : wanted).push((signed[at + 1] ?? '').trim());
  }
  return { wanted: wanted.filter(Boolean), absent: absent.filter(Boolean) };
}
