/**
 * Between `<picture-map>` and what taggers know of the pictures: those that are alike get places near each other, which a worker works
 * out. It is loaded when the first map is opened.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {{ picture: Picture, x: number, y: number }} Placed `x` and `y` from 0 to 1
 */

import { on } from './elements/dom.js';
import { evened } from './map-cells.js';

/** Pictures of a map, at most. */
const MOST = 5000;

/**
 * @param {object} given
 * @param {import('./session.js').Session} given.session
 * @param {import('./gallery.js').Gallery} given.gallery
 * @param {any} given.map the `<picture-map>`
 * @param {HTMLElement} given.filter where it is asked for
 */
export function mapPictures({ session, gallery, map, filter }) {
  /** @type {Worker | null} */
  let worker = null;
  const leave = () => {
    worker?.terminate();
    worker = null;
  };

  on(filter, 'map', () => {
    leave();
    const tagger = session.tags.engine;
    const known = session.shown.flatMap((picture) => {
      const vector = tagger && session.embeddings.known(tagger, picture);
      return vector ? [{ picture, vector }] : [];
    });
    // In whatever order they came.
    const rows = known.sort((a, b) => (a.picture.key < b.picture.key ? -1 : 1)).slice(0, MOST);
    const dims = rows[0]?.vector.length ?? 0;
    map.begin(rows.length, known.length - rows.length);
    if (rows.length === 0) return;
    const vectors = new Float32Array(rows.length * dims);
    rows.forEach(({ vector }, i) => vectors.set(vector, i * dims));
    worker = new Worker(new URL('./map-worker.js', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data: { done, all, places } }) => {
      if (!places) return map.progress(done, all);
      leave();
      map.show(placed(rows, places), {
        copyOf: (/** @type {Picture} */ picture) => gallery.thumbnails.copyOf(picture),
        labelOf: (/** @type {Picture} */ picture) => gallery.labelOf(picture),
      });
    });
    worker.addEventListener('error', () => {
      leave();
      map.fail();
    });
    worker.postMessage({ vectors, count: rows.length, dims }, [vectors.buffer]);
  });
  on(map, 'map-left', leave);
  on(map, 'map-pick', (picture) => gallery.turnTo(picture));
}

/** @param {readonly { picture: Picture }[]} rows @param {Float32Array} places @returns {Placed[]} */
function placed(rows, places) {
  const axis = (/** @type {0 | 1} */ which) => evened(rows.map((_, i) => places[2 * i + which] ?? 0));
  const [xs, ys] = [axis(0), axis(1)];
  return rows.map(({ picture }, i) => ({ picture, x: xs[i] ?? 0, y: ys[i] ?? 0 }));
}
