/** Sidecar files as photo managers read them: `photo.jpg.xmp`. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { unescapeXml, xmpPacket, xmpProperties } from '../extras/xmp.js';
import { replaceFile, unwritable } from './destination.js';

/**
 * Writes the sidecar of a picture.
 *
 * @param {string} picture
 * @param {{ subjects?: string[], description?: string }} about
 * @returns {Promise<boolean>} whether it was: one that someone else has written is left as it is
 */
export async function writeSidecar(picture, about) {
  const file = `${picture}.xmp`;
  const there = await readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw unwritable(file, error);
  });
  const earlier = { subjects: read(there, 'subject'), description: read(there, 'description')[0] };
  // Whatever somebody has changed in one of ocelli's, it is theirs now.
  if (there !== null && there !== packet(earlier.subjects, earlier.description)) return false;
  const { subjects = earlier.subjects, description = earlier.description } = about;
  await replaceFile(file, packet(subjects, description)).catch((error) => {
    throw unwritable(file, error);
  });
  return true;
}

/** @param {string | null} text of a sidecar @param {string} name @returns {string[]} what it says under `dc:` of that name */
function read(text, name) {
  const within = new RegExp(`<dc:${name}>(.*?)</dc:${name}>`, 's').exec(text ?? '')?.[1] ?? '';
  return [...within.matchAll(/<rdf:li[^>]*>(.*?)<\/rdf:li>/gs)].map(([, item = '']) => unescapeXml(item));
}

/** @param {string[]} subjects @param {string | undefined} description */
function packet(subjects, description) {
  const content = { subjects, ...(description !== undefined && { description }) };
  // A word that somebody adds shows in this, too.
  const hash = createHash('sha256').update(xmpProperties(content)).digest('hex');
  return xmpPacket({ ...content, toolkit: `ocelli ${hash.slice(0, 16)}` });
}
