/**
 * Labels as a tagger was asked about them last: most are asked about picture after picture, and a thousand of them are not copied and
 * written down for each.
 *
 * @typedef {import('../shared/types.js').Label} Label
 *
 * @typedef {object} ReadLabels
 * @property {readonly Label[]} labels a copy
 * @property {string} text the same as JSON, as the worker takes them
 */

import { checkLabels } from './arguments.js';

export class AskedLabels {
  /** @type {ReadLabels | null} */
  #last = null;

  /**
   * @param {unknown} given
   * @returns {ReadLabels} the same as before where they are the same labels
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
   */
  read(given) {
    if (this.#last && isAs(given, this.#last.labels)) return this.#last;
    const labels = checkLabels(given);
    this.#last = { labels, text: JSON.stringify(labels) };
    return this.#last;
  }
}

/** @param {unknown} given @param {readonly Label[]} labels */
function isAs(given, labels) {
  if (!Array.isArray(given) || given.length !== labels.length) return false;
  return labels.every((label, place) => {
    const other = given[place];
    return typeof label === 'string'
      ? other === label
      : other?.label === label.label && other.hint === label.hint;
  });
}
