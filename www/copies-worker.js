/**
 * Finds pictures that are copies of each other in another size, compression or brightness: their difference hashes differ in a few bits,
 * and a model sees about the same in them. What cannot be decoded is like nothing.
 */

import { distance, hashOf, HEIGHT, WIDTH } from './difference-hash.js';
import { Groups } from './groups.js';
import { dot } from './vectors.js';

/**
 * Bits in which the hashes of copies differ at most, and the least cosine of their embeddings. Of 120 photographs, smaller by two
 * fifths, 97 in a hundred are found so, and with a quarter more light 98, where the cosine of 0.95 that is asked of all others finds 12
 * and 88; of 179,700 pairs of different photographs, three: motorcycles in the same place before white.
 */
const BITS = 6;
const COSINE = 0.7;
/** Pictures between two words of how far it is. */
const ROUND = 50;

addEventListener('message', async ({ data: { copies, vectors } }) => {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  /** @type {(Uint32Array | null)[]} */
  const hashes = [];
  for (const copy of copies) {
    hashes.push(context && (await hashed(copy, context).catch(() => null)));
    if (hashes.length % ROUND === 0) postMessage({ done: hashes.length });
  }
  postMessage({ groups: groupsOf(hashes, vectors) });
});

/** @param {Blob} copy @param {OffscreenCanvasRenderingContext2D} context */
async function hashed(copy, context) {
  const picture = await createImageBitmap(copy);
  context.imageSmoothingQuality = 'high';
  context.clearRect(0, 0, WIDTH, HEIGHT);
  context.drawImage(picture, 0, 0, WIDTH, HEIGHT);
  picture.close();
  return hashOf(context.getImageData(0, 0, WIDTH, HEIGHT).data);
}

/**
 * @param {readonly (Uint32Array | null)[]} hashes
 * @param {readonly Float32Array[]} vectors of the same pictures
 * @returns {number[][]} their places
 */
function groupsOf(hashes, vectors) {
  /** @type {Groups<number>} */
  const groups = new Groups();
  const known = hashes.flatMap((hash, place) => (hash ? [{ hash, place, vector: vectors[place] }] : []));
  known.forEach((one, i) => {
    for (let k = i + 1; k < known.length; k++) {
      const other = known[k];
      if (!other || distance(one.hash, other.hash) > BITS) continue;
      if (groups.areJoined(one.place, other.place)) continue;
      if (one.vector && other.vector && dot(one.vector, other.vector) >= COSINE) {
        groups.join(one.place, other.place);
      }
    }
  });
  return groups.all();
}
