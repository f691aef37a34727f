/** Pictures to try the page with, which lie in `samples/` beside it: see `samples/README.md`. */

/**
 * @typedef {object} Sample
 * @property {string} file in the folder `samples/`
 * @property {string} alt what it shows
 */

/** @type {readonly Sample[]} */
export const SAMPLES = [
  { file: 'cat.webp', alt: 'a tabby cat' },
  { file: 'coffee.webp', alt: 'a cup of espresso' },
  { file: 'photographer.webp', alt: 'a man with a camera' },
  { file: 'rocket.webp', alt: 'a rocket before its launch' },
  { file: 'astronaut.webp', alt: 'an astronaut' },
  { file: 'sailboat.webp', alt: 'a drawing of a sailboat' },
  { file: 'car.webp', alt: 'a drawing of a red car' },
  { file: 'fruit.webp', alt: 'a drawing of a bowl of fruit' },
];
