/** Several pictures, one after the other, so that no more than one has to be in memory, or a few at once. */

import { ImageError } from '../shared/errors.js';

/** @typedef {import('../shared/protocol.js').Progress} Progress */
/** @typedef {import('./image-input.js').ImageInput} ImageInput */

/**
 * @template A
 * @param {readonly ImageInput[]} images
 * @param {((progress: Progress) => void) | undefined} onProgress told how far all of them are
 * @param {(image: ImageInput, onProgress: (progress: Progress) => void) => Promise<A>} ask about one
 * @returns {Promise<A[]>} in the order of the pictures
 * @throws {ImageError} of the first picture that cannot be read, which it names by its place
 */
export async function inTurn(images, onProgress, ask) {
  const count = images.length;
  const answers = [];
  for (const [index, image] of images.entries()) {
    try {
      answers.push(await ask(image, (progress) => onProgress?.(ofAll(progress, index, count))));
    } catch (error) {
      throw named(error, index, count);
    }
  }
  return answers;
}

/**
 * @template A
 * @param {readonly ImageInput[]} images
 * @param {number} most pictures of one share
 * @param {((progress: Progress) => void) | undefined} onProgress told how far all of them are
 * @param {(share: readonly ImageInput[], onProgress: (progress: Progress) => void) => Promise<A[]>} ask about a share of them. An
 *   error of a picture tells its place in the share
 * @returns {Promise<A[]>} in the order of the pictures
 * @throws {ImageError} of the first picture that cannot be read, which it names by its place
 */
export async function inShares(images, most, onProgress, ask) {
  const count = images.length;
  const answers = [];
  for (let begin = 0; begin < count; begin += most) {
    const share = images.slice(begin, begin + most);
    try {
      const tell = (/** @type {Progress} */ progress) =>
        onProgress?.(ofAll(progress, begin, count, share.length));
      answers.push(...(await ask(share, tell)));
    } catch (error) {
      const index = error instanceof ImageError ? (error.index ?? 0) : 0;
      throw named(error, begin + index, count);
    }
  }
  return answers;
}

/** An error that names the picture that it is of, if it is of one among several. @param {unknown} error @param {number} index @param {number} count */
function named(error, index, count) {
  if (!(error instanceof ImageError) || count === 1) return error;
  const message = `Picture ${index + 1} of ${count}: ${error.message}`;
  return new ImageError(error.code, message, { cause: error, index });
}

/**
 * How far all of several pictures are, where some of them are so far.
 *
 * @param {Progress} progress
 * @param {number} before pictures that are done
 * @param {number} count
 * @param {number} [some] pictures that the progress is of
 * @returns {Progress}
 */
function ofAll(progress, before, count, some = 1) {
  const { phase, loaded, total } = progress;
  if (phase !== 'image' || total === null) return progress;
  const each = total / some;
  return { ...progress, loaded: before * each + loaded, total: count * each };
}
