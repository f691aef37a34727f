/** Sidecar files as photo managers read them: `photo.jpg.xmp`, in the Extensible Metadata Platform's form (ISO 16684-1). */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
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
  return [...within.matchAll(/<rdf:li[^>]*>(.*?)<\/rdf:li>/gs)].map(([, item = '']) => unescape(item));
}

/** @param {string[]} subjects @param {string | undefined} description */
function packet(subjects, description) {
  const items = subjects.map((subject) => `     <rdf:li>${escape(subject)}</rdf:li>\n`).join('');
  const subject = items && `   <dc:subject>\n    <rdf:Bag>\n${items}    </rdf:Bag>\n   </dc:subject>\n`;
  const sentence =
    description === undefined
      ? ''
      : `   <dc:description>\n    <rdf:Alt>\n     <rdf:li xml:lang="x-default">${escape(description)}</rdf:li>\n    </rdf:Alt>\n   </dc:description>\n`;
  // A word that somebody adds shows in this, too.
  const hash = createHash('sha256')
    .update(subject + sentence)
    .digest('hex');
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="ocelli ${hash.slice(0, 16)}">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
${subject}${sentence}  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;
}

/** @type {[string, string][]} */
const ENTITIES = [
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
];

/** @param {string} text */
function escape(text) {
  // Characters that no XML may have are left out.
  // eslint-disable-next-line no-control-regex
  const clean = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');
  return ENTITIES.reduce((escaped, [plain, entity]) => escaped.replaceAll(plain, entity), clean);
}

/** @param {string} text */
function unescape(text) {
  return ENTITIES.reduceRight((plain, [letter, entity]) => plain.replaceAll(entity, letter), text);
}
