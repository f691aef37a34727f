/**
 * Difference hashes (dHash: Krawetz, "Kind of Like That", 2013): 64 bits of a picture, one for each of 8 × 8 places, which tell
 * whether it becomes darker to the right. Copies of another size or compression have nearly the same ones.
 */

/** Places of a picture: one more in a row than the bits. */
const COLUMNS = 9;
const ROWS = 8;
/** Pixels of a place's edge, of which the mean is taken: browsers shrink pictures in different ways. */
const EDGE = 8;
/** The picture that is hashed, of whatever shape it was. */
export const WIDTH = COLUMNS * EDGE;
export const HEIGHT = ROWS * EDGE;

/**
 * @param {Uint8ClampedArray} pixels red, green, blue and opacity of `WIDTH` × `HEIGHT`
 * @returns {Uint32Array} two numbers
 */
export function hashOf(pixels) {
  const light = new Float64Array(COLUMNS * ROWS);
  for (let at = 0; at < WIDTH * HEIGHT; at++) {
    const place = Math.floor(at / WIDTH / EDGE) * COLUMNS + Math.floor((at % WIDTH) / EDGE);
    const [red, green, blue] = [0, 1, 2].map((channel) => pixels[4 * at + channel] ?? 0);
    // Rec. 601.
    light[place] = (light[place] ?? 0) + 0.299 * (red ?? 0) + 0.587 * (green ?? 0) + 0.114 * (blue ?? 0);
  }
  const hash = new Uint32Array(2);
  for (let bit = 0; bit < 64; bit++) {
    const place = Math.floor(bit / 8) * COLUMNS + (bit % 8);
    const darker = Number((light[place] ?? 0) > (light[place + 1] ?? 0));
    hash[bit >> 5] = (hash[bit >> 5] ?? 0) | (darker << (bit & 31));
  }
  return hash;
}

/** The number of bits in which two hashes differ. @param {Uint32Array} one @param {Uint32Array} other */
export function distance(one, other) {
  return ones((one[0] ?? 0) ^ (other[0] ?? 0)) + ones((one[1] ?? 0) ^ (other[1] ?? 0));
}

/** The bits that are set in a number of 32 (Warren, "Hacker's Delight", 5-1). @param {number} number */
function ones(number) {
  const pairs = number - ((number >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
