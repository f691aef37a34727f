// What the evaluation finds: one row for each figure, with what was asked of it.

import { grid } from '../../bench/lib/statistics.mjs';
import { wilson } from './figures.mjs';

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {number} figure
 * @property {[number, number]} [interval] of 95 %
 * @property {number} [count] of pictures
 * @property {number} [floor]
 * @property {number} [aim]
 * @property {boolean} [low] whether less is better
 */

export class Report {
  /** @type {Row[]} */
  rows = [];
  /** @type {{ what: string, reason: string }[]} */
  skipped = [];
  /** Everything that is worth keeping beside the rows. @type {Record<string, unknown>} */
  details = {};

  /** @param {Row} row */
  add(row) {
    this.rows.push(row);
  }

  /**
   * A share of pictures.
   * @param {string} what
   * @param {boolean[]} right for each picture
   * @param {{ floor?: number, aim?: number }} [wanted]
   */
  share(what, right, wanted = {}) {
    const hits = right.filter(Boolean).length;
    const count = right.length;
    if (count === 0) return this.skip(what, 'there is no picture for it');
    return this.add({ what, figure: hits / count, interval: wilson(hits, count), count, ...wanted });
  }

  /** @param {string} what @param {string} reason */
  skip(what, reason) {
    this.skipped.push({ what, reason });
  }

  /** Whether every row that has a floor keeps it. Rows that were skipped are no passes. */
  get floorsHold() {
    return this.rows.every((row) => meets(row, row.floor) !== false);
  }

  print() {
    const percent = (/** @type {number} */ value) => `${(100 * value).toFixed(1)}`;
    const cells = this.rows.map((row) => {
      const { what, figure, interval, count, floor, aim } = row;
      return [
        what,
        percent(figure),
        interval ? `${percent(interval[0])} to ${percent(interval[1])}` : '',
        count === undefined ? '' : String(count),
        verdict(row, floor, 'kept', 'MISSED'),
        verdict(row, aim, 'reached', 'not yet'),
      ];
    });
    const head = ['what', '%', '95 % interval', 'pictures', 'floor', 'aim'];
    const lines = [grid([head, ...cells], [1, 3])];
    for (const { what, reason } of this.skipped) lines.push(`skipped: ${what} (${reason})`);
    return lines.join('\n');
  }
}

/** @param {Row} row @param {number | undefined} bound */
function meets({ figure, low }, bound) {
  if (bound === undefined) return null;
  return low ? figure <= bound : figure >= bound;
}

/** @param {Row} row @param {number | undefined} bound @param {string} yes @param {string} no */
function verdict(row, bound, yes, no) {
  return bound === undefined ? '' : `${(100 * bound).toFixed(1)} ${meets(row, bound) ? yes : no}`;
}
