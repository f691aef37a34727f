/**
 * Cells of a map, so that no picture hides another: each goes to its own, or to a free one near it.
 *
 * @typedef {{ x: number, y: number }} Point from 0 to 1
 */

/**
 * Uses the room that there is: half of where a point lies on an axis is where it is, half how many are before it.
 * @param {readonly number[]} values of an axis
 * @returns {number[]} from 0 to 1, in the same order
 */
export function evened(values) {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
  const least = values[order[0] ?? 0] ?? 0;
  const span = (values[order.at(-1) ?? 0] ?? 0) - least;
  const last = Math.max(1, values.length - 1);
  const even = values.map(() => 0.5);
  if (span > 0) {
    order.forEach((i, rank) => (even[i] = 0.5 * (((values[i] ?? 0) - least) / span + rank / last)));
  }
  return even;
}

/** Points between two rests. */
const AT_ONCE = 32;

/**
 * Goes on from rest to rest: thousands take longer than a page may sleep.
 * @param {readonly Point[]} points
 * @param {number} columns
 * @param {number} rows
 * @returns {Generator<void, Int32Array, void>} the cell of each, row by row; where there are more points than cells, some share
 */
export function* cellsOf(points, columns, rows) {
  const taken = new Uint8Array(columns * rows);
  const cells = new Int32Array(points.length);
  let free = taken.length;
  for (const [i, { x, y }] of points.entries()) {
    const [left, top] = [x * (columns - 1), y * (rows - 1)];
    const own = Math.round(top) * columns + Math.round(left);
    const cell = free > 0 ? nearestFree(taken, columns, rows, left, top) : own;
    if (free > 0) free -= 1;
    taken[cell] = 1;
    cells[i] = cell;
    if (i % AT_ONCE === AT_ONCE - 1) yield;
  }
  return cells;
}

/**
 * @param {Uint8Array} taken
 * @param {number} columns
 * @param {number} rows
 * @param {number} left where it should be, in cells
 * @param {number} top
 */
function nearestFree(taken, columns, rows, left, top) {
  const [column, row] = [Math.round(left), Math.round(top)];
  let [best, least] = [-1, Infinity];
  const look = (/** @type {number} */ at, /** @type {number} */ line) => {
    if (at < 0 || at >= columns || line < 0 || line >= rows || taken[line * columns + at]) return;
    const away = (at - left) ** 2 + (line - top) ** 2;
    if (away < least) [best, least] = [line * columns + at, away];
  };
  // Squares around it, until what is further out is further away.
  for (let ring = 0; best < 0 || (ring - 0.5) ** 2 < least; ring++) {
    for (let at = column - ring; at <= column + ring; at++) {
      look(at, row - ring);
      if (ring > 0) look(at, row + ring);
    }
    for (let line = row - ring + 1; line < row + ring; line++) {
      look(column - ring, line);
      look(column + ring, line);
    }
  }
  return best;
}
