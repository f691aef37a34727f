/**
 * XMP that somebody else has written, with our keywords and our sentence in it. All else stays: other properties, other
 * languages, and, unless otherwise wished, other keywords.
 *
 * @typedef {object} Wishes
 * @property {boolean} [keepOthers] whether keywords that are there already stay; they do by default
 * @property {boolean} [keepCaption] whether a sentence that is there already stays; ours takes its place by default
 *
 * @typedef {import('ocelli').XmpContent & { rejected?: readonly string[], confirmed?: readonly string[], descriptionIsOwn?: boolean }} Content
 *   `rejected`: keywords that the picture must not have; `confirmed`: those of its keywords that somebody has given it or agreed to;
 *   `descriptionIsOwn`: whether somebody has written the sentence
 */

import { xmpPacket } from 'ocelli';
import { BELOW } from '../labels.js';
import { keyOf } from './filed.js';
import { Trouble } from './trouble.js';

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const DC = 'http://purl.org/dc/elements/1.1/';
const LIGHTROOM = 'http://ns.adobe.com/lightroom/1.0/';
/** What no other program has a name for. */
const OCELLI = 'https://github.com/ocelli/ocelli/ns/1.0/';
const DIGIKAM = 'http://www.digikam.org/ns/1.0/';
const MICROSOFT = 'http://ns.microsoft.com/photo/1.0/';
/** As ExifTool writes it. */
const MICROSOFT_BARE = 'http://ns.microsoft.com/photo/1.0';
const MEDIAPRO = 'http://ns.iview-multimedia.com/mediapro/1.0/';
const XML = 'http://www.w3.org/XML/1998/namespace';

/** @typedef {readonly [space: string, name: string]} Property with its usual prefix */
const SUBJECT = /** @type {Property} */ ([DC, 'dc:subject']);
const HIERARCHY = /** @type {Property} */ ([LIGHTROOM, 'lr:hierarchicalSubject']);
const REJECTED = /** @type {Property} */ ([OCELLI, 'ocelli:rejected']);
const CONFIRMED = /** @type {Property} */ ([OCELLI, 'ocelli:confirmed']);
const WRITTEN_BY = /** @type {Property} */ ([OCELLI, 'ocelli:descriptionBy']);
const DESCRIPTION = /** @type {Property} */ ([DC, 'dc:description']);

/**
 * Keywords with what they are below, as other programs have them, and what parts these: digiKam reads its own before all others.
 * @type {readonly (readonly [Property, mark: string])[]}
 */
const LISTS = [
  [[DIGIKAM, 'digiKam:TagsList'], '/'],
  [[MICROSOFT, 'MicrosoftPhoto:LastKeywordXMP'], '/'],
  [[MICROSOFT_BARE, 'MicrosoftPhoto:LastKeywordXMP'], '/'],
  [[MEDIAPRO, 'mediapro:CatalogSets'], '|'],
];

/** Who has written a sentence that is not a model's. */
const PERSON = 'person';

/** Characters of a text beyond which nobody's keywords are in it. */
const MOST = 4_000_000;
/** What no XML may hold. */
// eslint-disable-next-line no-control-regex
const NO_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>';
const END = '<?xpacket end="w"?>';

/**
 * The whole text of a packet.
 *
 * @param {string | null} existing null where there is none yet
 * @param {Content} content
 * @param {Wishes} [wishes]
 * @returns {string}
 * @throws {Trouble} `xmp-damaged`, `xmp-unsafe`
 */
export function mergedXmp(existing, content, { keepOthers = true, keepCaption = false } = {}) {
  const { rejected = [], confirmed = [], descriptionIsOwn = false, ...known } = content;
  const isNew = existing === null || existing.trim() === '';
  if (isNew && rejected.length + confirmed.length === 0 && !descriptionIsOwn) {
    return xmpPacket({
      ...known,
      hierarchicalSubjects: withFlat(known.hierarchicalSubjects, known.subjects),
    });
  }
  const { document, holders } = parsed(isNew ? xmpPacket(known) : existing);
  const { subjects = [], hierarchicalSubjects = [], description } = known;
  for (const [property, words] of /** @type {const} */ ([
    [SUBJECT, subjects],
    [HIERARCHY, hierarchicalSubjects],
  ])) {
    const others = keepOthers ? valuesOf(holders, property) : [];
    if (!keepOthers) removed(holders, property);
    add(holders, property, missing(words, others), others);
    if (rejected.length > 0) without(holders, property, rejected, BELOW);
  }
  const paths = valuesOf(holders, HIERARCHY);
  const whole = withFlat(paths, valuesOf(holders, SUBJECT));
  add(holders, HIERARCHY, missing(whole, paths), paths);
  keepInStep(holders, whole.length > 0 ? whole : valuesOf(holders, SUBJECT), { rejected, keepOthers });
  for (const [property, words] of /** @type {const} */ ([
    [REJECTED, rejected],
    [CONFIRMED, confirmed],
  ])) {
    removed(holders, property);
    add(holders, property, missing(words, []), []);
  }
  if (description && !(keepCaption && captionOf(holders))) {
    describe(holders, description);
    removed(holders, WRITTEN_BY);
    const [holder] = holders;
    if (descriptionIsOwn && holder) append(holder, ...WRITTEN_BY, PERSON);
  }
  return written(document);
}

/**
 * What a packet says of its picture; `hierarchy`: those of its keywords that are below others, with these. What somebody has confirmed
 * counts as long as other programs leave it among the keywords.
 *
 * @param {string} text
 * @returns {{ tags: string[], hierarchy: string[], own?: string[], gone?: string[], caption: string, captionIsOwn?: true }}
 * @throws {Trouble} `xmp-damaged`, `xmp-unsafe`
 */
export function readXmp(text) {
  const { holders } = parsed(text);
  const gone = missing(valuesOf(holders, REJECTED), []);
  const listed = missing(
    [/** @type {const} */ ([HIERARCHY, BELOW]), ...LISTS].flatMap(([property, mark]) =>
      valuesOf(holders, property).map((path) => path.replaceAll(mark, BELOW)),
    ),
    [],
  );
  const subjects = missing(valuesOf(holders, SUBJECT), []);
  const tags = subjects.length > 0 ? subjects : listed;
  const left = new Set(missing(tags, gone).map(keyOf));
  const own = missing(valuesOf(holders, CONFIRMED), []).filter((word) => left.has(keyOf(word)));
  return {
    ...(own.length > 0 && { own }),
    ...(gone.length > 0 && { gone }),
    tags,
    hierarchy: listed.filter((path) => path.includes(BELOW)),
    caption: captionOf(holders).trim(),
    ...(valuesOf(holders, WRITTEN_BY).includes(PERSON) && { captionIsOwn: true }),
  };
}

/** @param {string} text @returns {{ document: Document, holders: Element[] }} the elements that properties are in, at least one */
function parsed(text) {
  if (text.length > MOST) throw new Trouble('xmp-unsafe', 'That XMP is too long to be keywords.');
  // Whoever declares entities means no good.
  if (/<!DOCTYPE/i.test(text)) throw new Trouble('xmp-unsafe', 'That XMP declares a document type.');
  let document;
  try {
    // Some programs fill the place that they keep free with zeros.
    document = new DOMParser().parseFromString(text.replaceAll('\0', '').trim(), 'text/xml');
  } catch (cause) {
    throw new Trouble('xmp-damaged', 'That XMP is damaged.', { cause });
  }
  const root = document.getElementsByTagNameNS(RDF, 'RDF')[0];
  if (document.getElementsByTagName('parsererror').length > 0 || !root) {
    throw new Trouble('xmp-damaged', 'That XMP is damaged.');
  }
  const holders = elementsOf(root, [RDF, 'rdf:Description']);
  if (holders.length === 0) {
    const holder = document.createElementNS(RDF, 'rdf:Description');
    holder.setAttributeNS(RDF, 'rdf:about', '');
    holders.push(/** @type {Element} */ (root.appendChild(holder)));
  }
  return { document, holders };
}

/** @param {Element} parent @param {Property} property @returns {Element[]} its children of that name */
function elementsOf(parent, [space, name]) {
  const local = name.slice(name.indexOf(':') + 1);
  return /** @type {Element[]} */ (Array.from(parent.childNodes)).filter(
    (node) => node.nodeType === 1 && node.namespaceURI === space && node.localName === local,
  );
}

/** @param {Element} element of a property @returns {Element | undefined} the list that it holds, of whatever kind */
function listOf(element) {
  const kinds = ['rdf:Bag', 'rdf:Seq', 'rdf:Alt'];
  return kinds.flatMap((kind) => elementsOf(element, [RDF, kind]))[0];
}

/** @param {Element} element of a property @returns {Element[]} */
function itemsOf(element) {
  const list = listOf(element);
  return list ? elementsOf(list, [RDF, 'rdf:li']) : [];
}

/** @param {Element[]} holders @param {Property} property @returns {string[]} wherever and in whatever form they are written */
function valuesOf(holders, property) {
  const [space, name] = property;
  const local = name.slice(name.indexOf(':') + 1);
  const values = holders.flatMap((holder) => [
    holder.getAttributeNS(space, local) ?? '',
    ...elementsOf(holder, property).flatMap((element) =>
      (listOf(element) ? itemsOf(element) : [element]).map(({ textContent }) => textContent ?? ''),
    ),
  ]);
  return values.map((value) => value.trim()).filter(Boolean);
}

/** @param {Element[]} holders @param {Property} property */
function removed(holders, property) {
  const [space, name] = property;
  for (const holder of holders) {
    holder.removeAttributeNS(space, name.slice(name.indexOf(':') + 1));
    for (const element of elementsOf(holder, property)) holder.removeChild(element);
  }
}

/**
 * Takes words out, in whatever list they are.
 * @param {Element[]} holders
 * @param {Property} property
 * @param {readonly string[]} words
 * @param {string} mark what parts words from what they are below
 */
function without(holders, property, words, mark) {
  const gone = new Set(words.map(keyOf));
  for (const element of holders.flatMap((holder) => elementsOf(holder, property))) {
    const items = itemsOf(element);
    const taken = items.filter((item) => gone.has(leafKey(item.textContent ?? '', mark)));
    for (const item of taken) item.parentNode?.removeChild(item);
    // Programs take the blanks in an empty list for a word.
    if (taken.length > 0 && taken.length === items.length) element.parentNode?.removeChild(element);
  }
}

/**
 * Paths, where there are any, with the words that are below nothing: who reads a list of paths looks at no other.
 * @param {readonly string[] | undefined} paths
 * @param {readonly string[] | undefined} words
 * @returns {string[]}
 */
function withFlat(paths = [], words = []) {
  if (paths.length === 0) return [];
  const parts = paths.flatMap((path) => path.split(BELOW));
  return [...paths, ...missing(words, parts)];
}

/**
 * Brings the lists of other programs, where there are some, in step with the keywords.
 * @param {Element[]} holders
 * @param {readonly string[]} paths of all keywords
 * @param {{ rejected: readonly string[], keepOthers: boolean }} how
 */
function keepInStep(holders, paths, { rejected, keepOthers }) {
  for (const [property, mark] of LISTS) {
    const there = valuesOf(holders, property);
    if (there.length === 0) continue;
    if (!keepOthers) removed(holders, property);
    const others = keepOthers ? there : [];
    const known = new Set(others.map((path) => leafKey(path, mark)));
    const words = paths.filter((path) => !known.has(leafKey(path, BELOW)));
    add(
      holders,
      property,
      words.map((path) => path.replaceAll(BELOW, mark)),
      others,
    );
    without(holders, property, rejected, mark);
  }
}

/** @param {string} path @param {string} mark */
function leafKey(path, mark) {
  return keyOf(path.trim().split(mark).at(-1) ?? '');
}

/** @param {readonly string[]} words @param {readonly string[]} others @returns {string[]} those that are not among the others, once */
function missing(words, others) {
  const known = new Set(others.map(keyOf));
  return words.filter((word) => word !== '' && !known.has(keyOf(word)) && known.add(keyOf(word)));
}

/**
 * Adds words to the list that is there, or makes one of what is there and them.
 * @param {Element[]} holders
 * @param {Property} property
 * @param {string[]} words
 * @param {string[]} others that are there
 */
function add(holders, property, words, others) {
  if (words.length === 0) return;
  let list = holders.flatMap((holder) => elementsOf(holder, property)).flatMap((one) => listOf(one) ?? [])[0];
  if (!list) {
    removed(holders, property);
    list = makeList(holders, property, 'rdf:Bag');
    for (const word of missing(others, [])) append(list, RDF, 'rdf:li', word);
  }
  for (const word of words) append(list, RDF, 'rdf:li', word);
}

/** @param {Element[]} holders @param {Property} property @param {string} kind */
function makeList(holders, [space, name], kind) {
  return append(append(/** @type {Element} */ (holders[0]), space, name), RDF, kind);
}

/** @param {Element} parent @param {string} space @param {string} name @param {string} [text] @returns {Element} */
function append(parent, space, name, text) {
  return parent.appendChild(make(parent, space, name, text));
}

/** @param {Element} near @param {string} space @param {string} name @param {string} [text] @returns {Element} */
function make(near, space, name, text = '') {
  const element = near.ownerDocument.createElementNS(space, name);
  element.textContent = text.replace(NO_XML, '');
  return element;
}

/** @param {Element} item */
function isDefault(item) {
  return item.getAttributeNS(XML, 'lang')?.toLowerCase() === 'x-default';
}

/** @param {Element[]} holders @returns {string} in the language that goes for all, or the first; empty where there is none */
function captionOf(holders) {
  const items = holders.flatMap((holder) => elementsOf(holder, DESCRIPTION)).flatMap(itemsOf);
  return items.find(isDefault)?.textContent ?? valuesOf(holders, DESCRIPTION)[0] ?? '';
}

/** Sets the sentence that goes for all languages. @param {Element[]} holders @param {string} text */
function describe(holders, text) {
  const elements = holders.flatMap((holder) => elementsOf(holder, DESCRIPTION));
  const items = elements.flatMap(itemsOf);
  const existing = items.find(isDefault);
  if (existing) {
    const before = existing.textContent;
    // What was the same in another language is no more true of it.
    for (const item of items) if (item.textContent === before) item.textContent = text.replace(NO_XML, '');
    return;
  }
  let list = elements.flatMap((one) => listOf(one) ?? [])[0];
  if (!list) {
    removed(holders, DESCRIPTION);
    list = makeList(holders, DESCRIPTION, 'rdf:Alt');
  }
  // The first of them is what programs show that know no languages.
  const item = list.insertBefore(make(list, RDF, 'rdf:li', text), list.firstChild);
  item.setAttributeNS(XML, 'xml:lang', 'x-default');
}

/** @param {Document} document @returns {string} with what marks a packet around it */
function written(document) {
  const writer = new XMLSerializer();
  // A declaration may name another encoding than this text will have.
  const nodes = Array.from(document.childNodes).filter(({ nodeName }) => nodeName !== 'xml');
  const marked = nodes.some(({ nodeName }) => nodeName === 'xpacket');
  const lines = nodes.map((node) => writer.serializeToString(node).trim()).filter(Boolean);
  return `${(marked ? lines : [BEGIN, ...lines, END]).join('\n')}\n`;
}
