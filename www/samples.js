/** Pictures to try the page with, which lie in `samples/` beside it: see `samples/README.md`. */

/**
 * @typedef {object} Sample
 * @property {string} file in the folder `samples/`
 * @property {string} alt what it shows
 */

/** @type {readonly Sample[]} */
export const SAMPLES = [
  { file: 'butterfly.png', alt: 'a butterfly' },
  { file: 'pizza.png', alt: 'a slice of pizza' },
  { file: 'rocket.png', alt: 'a rocket' },
];
