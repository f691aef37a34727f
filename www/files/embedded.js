/**
 * What a picture says of itself: when it was taken, and the keywords and the sentence that some program has written into it. No more of
 * it is read than that takes.
 *
 * @typedef {import('./filed.js').Filed} Filed
 */

import { readCaption } from '../corrections.js';
import { filedOf, saysAnything, tagsIn } from './filed.js';
import { toldIn } from './told.js';
import { isJpeg } from './xmp-jpeg.js';
import { xmpOf } from './xmp-embed.js';
import { readXmp } from './xmp-merge.js';

/** Bytes in which a JPEG has its packet, nearly always, and otherwise; and of pictures of other kinds, at most. */
const HEAD = 256 << 10;
const LONG_HEAD = 4 << 20;
const MOST = 32 << 20;
/** Letters of a packet, beyond which reading it would be felt. */
const LONGEST = 500_000;

/**
 * @typedef {object} Embedded
 * @property {Filed | null} filed null where it says nothing
 * @property {string | null} packet its XMP, with what else that holds: ratings, regions of faces; null where there is none
 */

/** @param {Blob} file @returns {Promise<Embedded>} */
export async function embeddedIn(file) {
  const head = await bytesOf(file, HEAD);
  const [packet, { taken, keywords, caption }] = [await packetOf(file, head), await toldIn(head)];
  const isTold = packet !== null && packet.length <= LONGEST;
  const said = isTold ? filedOf(readXmp(packet)) : { tags: [], caption: '' };
  // XMP, where it says anything, is what was written last (guidelines of the Metadata Working Group).
  if (said.tags.length === 0 && !said.gone) Object.assign(said, tagsIn(keywords));
  if (said.caption === '') said.caption = readCaption(caption) ?? '';
  if (taken !== null) said.taken = taken;
  return { filed: saysAnything(said) ? said : null, packet: isTold ? packet : null };
}

/** What a sidecar says. @param {Blob} sidecar @returns {Promise<Filed | undefined>} undefined where it is damaged */
export async function toldBy(sidecar) {
  try {
    return filedOf(readXmp(await sidecar.text()));
  } catch {
    return undefined;
  }
}

/** @param {Blob} file @param {number} length at most */
async function bytesOf(file, length) {
  // Browsers take a while for each part of a file that they are asked for.
  const part = file.size <= length ? file : file.slice(0, length);
  return new Uint8Array(await part.arrayBuffer());
}

/** The XMP packet in a picture. @param {Blob} file @returns {Promise<Blob | null>} null where there is none */
export async function packetIn(file) {
  const packet = await packetOf(file, await bytesOf(file, HEAD));
  return packet === null || packet.length > LONGEST ? null : new Blob([packet]);
}

/** @param {Blob} file @param {Uint8Array} head its first bytes */
async function packetOf(file, head) {
  const found = xmpOf(head);
  if (found !== null || file.size <= HEAD) return found;
  if (isJpeg(head)) return xmpOf(await bytesOf(file, LONG_HEAD));
  return file.size <= MOST ? xmpOf(await bytesOf(file, file.size)) : null;
}
