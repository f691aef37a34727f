/**
 * How far pictures are on their way through the lanes.
 *
 * @typedef {object} Tally each picture counts once
 * @property {number} total
 * @property {number} open those that are being looked at, or wait for it
 * @property {number} stopped
 * @property {number} failed
 * @property {boolean} working whether something is being looked at
 */

/**
 * @param {readonly import('./pictures.js').Picture[]} pictures
 * @param {readonly { jobs: ReadonlyMap<object, { status: string }> }[]} lanes
 * @returns {Tally}
 */
export function tallyOf(pictures, lanes) {
  const tally = { total: pictures.length, open: 0, stopped: 0, failed: 0, working: false };
  for (const picture of pictures) {
    const has = (/** @type {string} */ state) => lanes.some((one) => one.jobs.get(picture)?.status === state);
    tally.working ||= has('running');
    if (has('running') || has('waiting')) tally.open += 1;
    else if (has('stopped')) tally.stopped += 1;
    else if (has('failed')) tally.failed += 1;
  }
  return tally;
}
