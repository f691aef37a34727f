/**
 * Where the tiles of a grid go: in rows of equal length, one behind the other. Where tiles are in groups, each begins a row, with some
 * room above it.
 */

/** Pixels above a group, beyond what is between two rows. */
const APART = 20;

/** @typedef {{ start: number, end: number, top: number }} Row the places of its first tile and of the first behind it, and its upper edge */

export class GridRows {
  /** @type {Row[]} */
  #rows = [];
  /** @type {readonly number[]} the row of each place; empty where all rows are full */
  #rowOf = [];
  #columns;
  #pitch;

  /**
   * @param {number} count of tiles
   * @param {number} columns
   * @param {number} pitch pixels from one row to the next
   * @param {((place: number) => boolean) | null} [begins] whether a tile begins a group; null where there are none
   */
  constructor(count, columns, pitch, begins = null) {
    this.#columns = columns;
    this.#pitch = pitch;
    /** @type {number[]} */
    const rowOf = [];
    let top = 0;
    for (let start = 0; start < count;) {
      let end = Math.min(count, start + columns);
      if (begins) {
        if (start > 0 && begins(start)) top += APART;
        for (let place = start + 1; place < end; place++) if (begins(place)) end = place;
        for (let place = start; place < end; place++) rowOf.push(this.#rows.length);
      }
      this.#rows.push({ start, end, top });
      top += pitch;
      start = end;
    }
    this.#rowOf = rowOf;
  }

  /** Pixels of all of them. @param {number} gap below a row, which the last has not */
  height(gap) {
    const last = this.#rows.at(-1);
    return last ? last.top + this.#pitch - gap : 0;
  }

  /** @param {number} place @returns {{ x: number, y: number }} its corner */
  cornerOf(place) {
    const { start, top } = this.#rowAt(place);
    return { x: (place - start) * this.#pitch, y: top };
  }

  /**
   * The places of the rows that are between two heights, with some more.
   * @param {number} from
   * @param {number} to
   * @param {number} [beyond] rows
   * @returns {[start: number, end: number]}
   */
  between(from, to, beyond = 0) {
    const first = this.#rows.findIndex(({ top }) => top + this.#pitch > from);
    if (first < 0) return [0, 0];
    let last = first;
    while ((this.#rows[last + 1]?.top ?? Infinity) <= to) last += 1;
    const start = this.#rows[Math.max(0, first - beyond)]?.start ?? 0;
    const end = this.#rows[Math.min(this.#rows.length - 1, last + beyond)]?.end ?? 0;
    return [start, end];
  }

  /**
   * The place some rows above or below another, in its column as far as the row goes.
   * @param {number} place
   * @param {number} step rows
   * @returns {number} the same where there is no such row
   */
  beside(place, step) {
    const index = this.#indexOf(place);
    const row = this.#rows[Math.min(this.#rows.length - 1, Math.max(0, index + step))];
    const here = this.#rows[index];
    if (!row || !here || row === here) return place;
    return Math.min(row.end - 1, row.start + place - here.start);
  }

  /** @param {number} place */
  #indexOf(place) {
    return this.#rowOf[place] ?? Math.floor(place / this.#columns);
  }

  /** @param {number} place @returns {Row} */
  #rowAt(place) {
    return this.#rows[this.#indexOf(place)] ?? { start: 0, end: 0, top: 0 };
  }
}
