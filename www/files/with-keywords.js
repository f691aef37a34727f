/** A picture with what is known of it written into it, and all that others wrote there kept. */

import { withoutStale } from './older-fields.js';
import { withXmp, xmpOf } from './xmp-embed.js';
import { isJpeg } from './xmp-jpeg.js';
import { mergedXmp } from './xmp-merge.js';

/**
 * @param {Blob} original
 * @param {import('./xmp-merge.js').Content} content
 * @param {import('./xmp-merge.js').Wishes & { captionThere?: string }} wishes `captionThere`: what the file has said so far
 * @returns {Promise<Blob | null>} null where it is of a kind that holds no keywords, or damaged: then nothing is to be written to it
 */
export async function withKeywords(original, content, { captionThere = '', ...wishes }) {
  const bytes = new Uint8Array(await original.arrayBuffer());
  let packet;
  try {
    packet = mergedXmp(xmpOf(bytes), content, wishes);
  } catch {
    // Nobody knows what would be lost of a packet that cannot be read.
    return null;
  }
  const whole = withXmp(bytes, packet);
  if (!whole) return null;
  const { rejected = [], description = '' } = content;
  const caption = description === '' || description === captionThere ? '' : captionThere;
  const stale = { keywords: rejected, caption, instead: description };
  return new Blob([isJpeg(whole) ? withoutStale(whole, stale) : whole], { type: original.type });
}
