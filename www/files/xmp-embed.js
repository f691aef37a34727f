/**
 * XMP packets within pictures: written in and read back, while all that is not theirs stays as it was. Files come from anywhere:
 * what is damaged or not understood is never written to.
 */

import { isJpeg, pixelsOfJpeg, withXmpInJpeg, xmpOfJpeg } from './xmp-jpeg.js';
import { isPng, pixelsOfPng, withXmpInPng, xmpOfPng } from './xmp-png.js';
import { isWebp, pixelsOfWebp, withXmpInWebp, xmpOfWebp } from './xmp-webp.js';

const FORMATS = [
  { is: isJpeg, read: xmpOfJpeg, write: withXmpInJpeg, pixels: pixelsOfJpeg },
  { is: isPng, read: xmpOfPng, write: withXmpInPng, pixels: pixelsOfPng },
  { is: isWebp, read: xmpOfWebp, write: withXmpInWebp, pixels: pixelsOfWebp },
];

/**
 * A picture with a packet, in the place of the one that it may have had.
 *
 * @param {Uint8Array} bytes of a file
 * @param {string} packet
 * @returns {Uint8Array<ArrayBuffer> | null} null where the picture cannot hold it: it is no JPEG, PNG or WebP, is damaged, has a
 *   packet that cannot be read, or is a JPEG and the packet longer than 65,502 bytes. Then it belongs into a sidecar.
 */
export function withXmp(bytes, packet) {
  const format = FORMATS.find(({ is }) => is(bytes));
  return format?.write(bytes, new TextEncoder().encode(packet)) ?? null;
}

/**
 * The packet that a picture has.
 *
 * @param {Uint8Array} bytes of a file
 * @returns {string | null} null where there is none that can be read
 */
export function xmpOf(bytes) {
  const packet = FORMATS.find(({ is }) => is(bytes))?.read(bytes);
  return packet ? new TextDecoder().decode(packet) : null;
}

/**
 * That part of a picture which stays the same, whatever is written into it about it.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes of a file
 * @returns {Uint8Array<ArrayBuffer> | null} null where nobody knows: it is no JPEG, PNG or WebP, or damaged
 */
export function pixelsIn(bytes) {
  return FORMATS.find(({ is }) => is(bytes))?.pixels(bytes) ?? null;
}
