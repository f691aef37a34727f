/**
 * Texts of pictures, as those have them who train models: what comes before, a caption, tags, and what comes behind. What is between
 * the caption and the tags is what is between two tags, and commas are in captions, too: where they part is told by what is known.
 *
 * @typedef {object} Form how texts are made
 * @property {'both' | 'caption' | 'tags'} [parts] what goes into a text
 * @property {string} [separator] what is between its parts
 * @property {string} [prefix] what it begins with
 * @property {string} [suffix] what it ends with
 */

/** Words from which on a part of a text is rather a sentence than a tag. */
const SENTENCE = 3;

// Firefox has had it since its version 125.
const segmenter = 'Segmenter' in Intl ? new Intl.Segmenter(undefined, { granularity: 'word' }) : null;

/** @param {{ caption: string, tags: readonly string[] }} known @param {Form} form @returns {string} empty where it would say nothing */
export function writeText({ caption, tags }, { parts = 'both', separator = ', ', prefix = '', suffix = '' }) {
  const all = [...(parts === 'tags' ? [] : [caption]), ...(parts === 'caption' ? [] : tags)].filter(Boolean);
  return all.length > 0 ? `${prefix}${all.join(separator)}${suffix}` : '';
}

/**
 * What the parts of a text are.
 *
 * @param {string} text
 * @param {object} known
 * @param {Form} [known.form] how it was made, if it was made here
 * @param {string} [known.caption] that the picture has
 * @param {(word: string) => boolean} [known.isTag] whether it is a tag that is known
 * @returns {{ caption: string, tags: string[], isSure: boolean }} `isSure`: whether the caption surely ends there
 */
export function readText(text, { form = {}, caption = '', isTag = () => false }) {
  const bare = withoutEnds(text.trim(), form);
  const between = betweenOf(bare, form);
  const parts = partsOf(bare, between);
  const known = partsOf(caption, between).map(({ word }) => word);
  const { end, isSure } = endOfCaption(parts, { order: form.parts, known, isTag });
  return {
    caption: bare.slice(0, parts[end - 1]?.stop ?? 0),
    tags: parts.slice(end).map(({ word }) => word),
    isSure,
  };
}

/** @typedef {{ word: string, stop: number }} Part `stop`: where it ends in the text */

/**
 * @param {readonly Part[]} parts
 * @param {{ order: Form['parts'], known: readonly string[], isTag: (word: string) => boolean }} by
 * @returns {{ end: number, isSure: boolean }} how many of them are the caption
 */
function endOfCaption(parts, { order = 'both', known, isTag }) {
  if (order !== 'both') return { end: order === 'tags' ? 0 : parts.length, isSure: true };
  const isLong = (/** @type {Part | undefined} */ part) =>
    part !== undefined && wordsIn(part.word) >= SENTENCE;
  const isKnown = known.length > 0 && known.every((word, i) => word === parts[i]?.word);
  if (isKnown) {
    const next = parts[known.length];
    return { end: known.length, isSure: !isLong(next) || isTag(next?.word ?? '') };
  }
  const tagged = parts.findIndex(({ word }) => isTag(word));
  const open = tagged < 0 ? parts : parts.slice(0, tagged);
  const [first] = open;
  // It begins with a tag, or with a word by itself, as lists of tags do.
  if (!first || wordsIn(first.word) === 1) return { end: 0, isSure: true };
  if (open.length === 1) return { end: isLong(first) || tagged > 0 ? 1 : 0, isSure: isLong(first) };
  if (isLong(first)) {
    // A sentence goes on in parts that are as long.
    const end = open.findIndex((part) => !isLong(part));
    return { end: end < 0 ? open.length : end, isSure: false };
  }
  // Lists of tags have long ones, too, but sooner among others that nobody knows.
  const ends = open.map((part, i) => (isLong(part) ? i + 1 : 0));
  return { end: tagged < 0 ? 0 : Math.max(...ends), isSure: false };
}

/** @param {string} text @param {Form} form @returns {string} what is between that which each text begins and ends with */
function withoutEnds(text, { prefix = '', suffix = '' }) {
  const [before, behind] = [prefix.trimStart(), suffix.trimEnd()];
  const rest = text.startsWith(before) ? text.slice(before.length) : text;
  return (rest.endsWith(behind) ? rest.slice(0, rest.length - behind.length) : rest).trim();
}

/** What parts a text: what it was made with, if that is in it, or else what others part them with. @param {string} text @param {Form} form */
function betweenOf(text, { separator = ', ' }) {
  const isOther = separator !== '' && separator.trim() !== ',';
  return isOther && text.includes(separator) ? separator : /[,\r\n]/;
}

/** @param {string} text @param {string | RegExp} between @returns {Part[]} none of them empty */
function partsOf(text, between) {
  const length = typeof between === 'string' ? between.length : 1;
  let start = 0;
  return text.split(between).flatMap((piece) => {
    const stop = start + piece.trimEnd().length;
    start += piece.length + length;
    const word = piece.trim();
    return word === '' ? [] : [{ word, stop }];
  });
}

/** Scripts that have no spaces between words. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u;
/** What of Japanese is no word by itself: one letter that says how others belong together. */
const PARTICLE = /^\p{scx=Hira}$/u;

/** @param {string} text */
function wordsIn(text) {
  if (!segmenter || !UNSPACED.test(text)) return text.split(/\s+/).length;
  const isWord = (/** @type {Intl.SegmentData} */ { segment, isWordLike }) =>
    isWordLike && !PARTICLE.test(segment);
  return [...segmenter.segment(text)].filter(isWord).length;
}
