/** Drawings of lines and curves (SVG), which a page draws at the size that they ask for. */

import { ImageError } from '../shared/errors.js';

/** How many bytes of a file tell what it is. */
const HEAD = 1024;
/** The shortest length of the longer edge, in pixels: models look at pictures of at least some 200. */
const LEAST = 512;
const MOST = 4096;

/** Files never change, and several models look at each. @type {WeakMap<Blob, Promise<boolean>>} */
const known = new WeakMap();

/**
 * Whether a file is such a drawing. Its content decides, not its type.
 *
 * @param {Blob} blob
 * @returns {Promise<boolean>}
 */
export function isSvg(blob) {
  const answer = known.get(blob) ?? beginsAsSvg(blob);
  known.set(blob, answer);
  return answer;
}

/** @param {Blob} blob */
async function beginsAsSvg(blob) {
  const bytes = blob.slice(0, HEAD).arrayBuffer();
  const head = await bytes.catch(() => {
    // Whoever reads all of it tells what is wrong; it may be there again later.
    known.delete(blob);
    return new ArrayBuffer(0);
  });
  const text = new TextDecoder().decode(head).replace(/^\ufeff?\s*/, '');
  return text.startsWith('<') && /<svg[\s>]/i.test(text.replace(/<!--.*?-->/gs, ''));
}

/**
 * An image element that shows the drawing, and how large it is to be drawn. Nothing in it is run, and it fetches nothing:
 * elements keep both from pictures.
 *
 * @param {Blob} blob
 */
export async function svgElement(blob) {
  const url = URL.createObjectURL(new Blob([blob], { type: 'image/svg+xml' }));
  const element = new Image();
  element.src = url;
  try {
    await element.decode();
  } catch (cause) {
    URL.revokeObjectURL(url);
    throw new ImageError('image-damaged', 'The SVG file cannot be drawn: it is damaged.', { cause });
  }
  const width = element.naturalWidth || LEAST;
  const height = element.naturalHeight || LEAST;
  const longer = Math.max(width, height);
  const scale = Math.min(Math.max(1, LEAST / longer), MOST / longer);
  return {
    element,
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
    release: () => URL.revokeObjectURL(url),
  };
}
