/** A picture with what is known of it written into it, and all that others wrote there kept. */

import { withXmp, xmpOf } from './xmp-embed.js';
import { mergedXmp } from './xmp-merge.js';

/**
 * @param {Blob} original
 * @param {import('./xmp-merge.js').Content} content
 * @param {import('./xmp-merge.js').Wishes} wishes
 * @returns {Promise<Blob | null>} null where it is of a kind that holds no keywords, or damaged: then nothing is to be written to it
 */
export async function withKeywords(original, content, wishes) {
  const bytes = new Uint8Array(await original.arrayBuffer());
  let packet;
  try {
    packet = mergedXmp(xmpOf(bytes), content, wishes);
  } catch {
    // Nobody knows what would be lost of a packet that cannot be read.
    return null;
  }
  const whole = withXmp(bytes, packet);
  return whole && new Blob([whole], { type: original.type });
}
