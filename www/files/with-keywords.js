/** A picture with what is known of it written into it, and all that others wrote there kept. */

import { readCaption } from '../corrections.js';
import { embeddedIn } from './embedded.js';
import { withoutStale } from './older-fields.js';
import { withXmp, xmpOf } from './xmp-embed.js';
import { isJpeg } from './xmp-jpeg.js';
import { mergedXmp, readXmp } from './xmp-merge.js';

/**
 * @param {Blob} original
 * @param {import('./xmp-merge.js').Content} content
 * @param {import('./xmp-merge.js').Wishes} [wishes]
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
  if (!whole) return null;
  if (!isJpeg(whole)) return new Blob([whole], { type: original.type });
  const said = (await embeddedIn(original).catch(() => null))?.filed?.caption ?? '';
  const instead = readCaption(readXmp(packet).caption) ?? '';
  const caption = instead === '' || instead === said ? '' : said;
  const stale = { keywords: content.rejected ?? [], caption, instead };
  return new Blob([withoutStale(whole, stale)], { type: original.type });
}
