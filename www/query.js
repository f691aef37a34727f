/** What somebody types to find pictures: words, with a plus or a minus in front of those that are to be there, or not to be. */

/** A query whose signs stand alone, as the package wants them: "food -pizza" is how most people write it. @param {string} query */
export function spaced(query) {
  return query.trim().replace(/(^|\s)([+-])(?=[^\s+-])/g, '$1$2 ');
}

/**
 * The words of a query.
 * @param {string} query
 * @returns {{ wanted: string[], absent: string[] }} those that pictures are to show, and those that they are not to show
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
