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
  { file: 'astronaut.webp', alt: 'an astronaut' },
  { file: 'umbrella.webp', alt: 'a drawing of an umbrella' },
  { file: 'mushroom.webp', alt: 'a drawing of a mushroom' },
  { file: 'strawberry.webp', alt: 'a drawing of a strawberry' },
  { file: 'ladybug.webp', alt: 'a drawing of a ladybug' },
  { file: 'house.webp', alt: 'a drawing of a house' },
];
