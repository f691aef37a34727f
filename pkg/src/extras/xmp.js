/**
 * What photo programs read beside a picture, in the Extensible Metadata Platform's form (ISO 16684-1): a file called as the picture
 * is, with `.xmp` behind.
 *
 * @typedef {object} XmpContent
 * @property {readonly string[]} [subjects] keywords (`dc:subject`)
 * @property {readonly string[]} [hierarchicalSubjects] keywords below others, as Lightroom and digiKam have them: `animal|pet|dog`
 *   (`lr:hierarchicalSubject`)
 * @property {string} [description] a sentence (`dc:description`)
 * @property {string} [toolkit] what has written it (`x:xmptk`); `ocelli` by default
 */

import { checkText, checkTexts } from '../page/arguments.js';
import { readOptions } from '../page/options.js';

/** Characters that no XML may have. */
// eslint-disable-next-line no-control-regex
const NO_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** @type {[string, string][]} */
const ENTITIES = [
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
];

/**
 * The whole text of a sidecar file.
 *
 * @param {XmpContent} content
 * @returns {string}
 * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
 */
export function xmpPacket(content) {
  const { subjects, hierarchicalSubjects, description, toolkit } = checked(content);
  const lightroom = hierarchicalSubjects.length > 0 ? ' xmlns:lr="http://ns.adobe.com/lightroom/1.0/"' : '';
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="${escape(toolkit)}">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"${lightroom}>
${xmpProperties({ subjects, hierarchicalSubjects, ...(description !== undefined && { description }) })}  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;
}

/**
 * What a sidecar says of its picture, without what is around it.
 *
 * @param {Omit<XmpContent, 'toolkit'>} content
 * @returns {string}
 */
export function xmpProperties({ subjects = [], hierarchicalSubjects = [], description }) {
  const sentence =
    description === undefined
      ? ''
      : `   <dc:description>\n    <rdf:Alt>\n     <rdf:li xml:lang="x-default">${escape(description)}</rdf:li>\n    </rdf:Alt>\n   </dc:description>\n`;
  return bag('dc:subject', subjects) + bag('lr:hierarchicalSubject', hierarchicalSubjects) + sentence;
}

/** @param {XmpContent} content */
function checked(content) {
  const read = readOptions(content, ['subjects', 'hierarchicalSubjects', 'description', 'toolkit']);
  const { subjects = [], hierarchicalSubjects = [], description, toolkit = 'ocelli' } = read;
  if (description !== undefined) checkText(description, 'description');
  checkText(toolkit, 'toolkit');
  return {
    subjects: checkTexts(subjects, 'subject'),
    hierarchicalSubjects: checkTexts(hierarchicalSubjects, 'hierarchicalSubject'),
    description,
    toolkit,
  };
}

/** @param {string} name @param {readonly string[]} words */
function bag(name, words) {
  if (words.length === 0) return '';
  const items = words.map((word) => `     <rdf:li>${escape(word)}</rdf:li>\n`).join('');
  return `   <${name}>\n    <rdf:Bag>\n${items}    </rdf:Bag>\n   </${name}>\n`;
}

/** @param {string} text */
function escape(text) {
  const clean = text.replace(NO_XML, '');
  return ENTITIES.reduce((escaped, [plain, entity]) => escaped.replaceAll(plain, entity), clean);
}

/** The text that was escaped. @param {string} text */
export function unescapeXml(text) {
  return ENTITIES.reduceRight((plain, [letter, entity]) => plain.replaceAll(entity, letter), text);
}
