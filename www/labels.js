/**
 * The labels of a question: as lines of text, as a model is asked about one of them, and those to fall back on where the
 * vocabulary cannot be had.
 */

import pluralize from 'pluralize';

/** The question put to the model for each label, as CLIP was trained to read it. */
export const TEMPLATE = 'a photo of a {}.';

/** What is asked where there is no vocabulary. */
export const EVERYDAY = [
  'dog',
  'cat',
  'bird',
  'flower',
  'tree',
  'apple',
  'car',
  'bicycle',
  'boat',
  'house',
  'chair',
  'person',
];

/**
 * A label, with the sense that is meant where the word has several.
 * @typedef {string | { label: string, hint?: string }} Label
 */

/** @param {Label} label @returns {string} what it is called */
export function nameOf(label) {
  return typeof label === 'string' ? label : label.label;
}

/** Of several things the one: "bird" of "birds"; English alone has it. @param {string} name */
export function singularOf(name) {
  return pluralize.singular(name);
}

/**
 * Labels as a model is best asked about them: "a photo of a birds." is no sentence, and small models know of such words by their singulars
 * alone.
 * @param {readonly Label[]} labels
 * @param {import('ocelli').Vocabulary | null} vocabulary what has the singulars that are known
 * @returns {Label[]} of the same length, each once
 */
export function askedAs(labels, vocabulary) {
  const known = asked.get(labels);
  if (known?.vocabulary === vocabulary) return known.put;
  const put = putAs(labels, vocabulary);
  asked.set(labels, { vocabulary, put });
  return put;
}

/** How labels were put before: every picture is asked about the same ones. @type {WeakMap<readonly Label[], { vocabulary: import('ocelli').Vocabulary | null, put: Label[] }>} */
const asked = new WeakMap();

/** @param {readonly Label[]} labels @param {import('ocelli').Vocabulary | null} vocabulary @returns {Label[]} */
function putAs(labels, vocabulary) {
  const listed = new Map(vocabulary?.labels.map((one) => [keyOf(one), one.label]));
  const there = new Set(labels.map(keyOf));
  return labels.map((label) => {
    if (listed.has(keyOf(label))) return label;
    const one = listed.get(keyOf(singularOf(nameOf(label))));
    if (one === undefined || there.has(one)) return label;
    there.add(one);
    return typeof label === 'string' ? one : { ...label, label: one };
  });
}

/** What stands between a label and its hint in a line of the text field. */
const HINT = ': ';

/** What stands between a label and those that it is below. */
export const BELOW = '|';

/**
 * @param {string} text one label on each line, as "dog", "bat: a type of animal" or "pets|dogs|Rex"
 * @returns {Label[]} each once: those that are the same would share one score
 */
export function readLabels(text) {
  return [...sensesOf(text).values()].map(([first]) => first);
}

/** @param {string} text as of `readLabels` @returns {string[]} the names of labels that are in it more than once */
export function repeatedIn(text) {
  const repeated = [...sensesOf(text).values()].filter(({ length }) => length > 1);
  return repeated.map(([first]) => nameOf(first));
}

/** What a label is known by, whatever its capitals and spaces. @param {Label} label */
export function keyOf(label) {
  return plain(nameOf(label));
}

/** @param {string} text */
function plain(text) {
  return text.trim().replace(/\s+/g, ' ').toLocaleLowerCase();
}

/** The labels of a text by what is asked of them: a word in two senses is two. @param {string} text */
function sensesOf(text) {
  /** @type {Map<string, [Label, ...Label[]]>} */
  const senses = new Map();
  for (const line of linesOf(text)) {
    const label = labelOf(line);
    const hint = typeof label === 'string' ? '' : (label.hint ?? '');
    const key = JSON.stringify([keyOf(label), plain(hint)]);
    const same = senses.get(key);
    if (same) same.push(label);
    else senses.set(key, [label]);
  }
  return senses;
}

/** @param {string} line @returns {Label} */
function labelOf(line) {
  const own = leafOf(line);
  const at = own.indexOf(HINT);
  if (at <= 0) return own;
  return { label: own.slice(0, at).trim(), hint: own.slice(at + HINT.length).trim() };
}

/**
 * Where labels lie that are below others.
 * @param {string} text as of `readLabels`
 * @returns {ReadonlyMap<string, string>} "pets|dogs|Rex" by "Rex"
 */
export function readPaths(text) {
  return new Map(
    linesOf(text).flatMap((line) => {
      const parts = line.split(HINT)[0]?.split(BELOW) ?? [];
      const names = parts.map((part) => part.trim()).filter((part) => part !== '');
      return names.length > 1 ? [[names.at(-1) ?? '', names.join(BELOW)]] : [];
    }),
  );
}

/** The lines of labels that are not among others. @param {string} text @param {readonly Label[]} others */
export function linesBeside(text, others) {
  const there = new Set(others.map(keyOf));
  const isOther = (/** @type {string} */ line) => !there.has(keyOf(labelOf(line)));
  return linesOf(text).filter(isOther).join('\n');
}

/** @param {string} text */
function linesOf(text) {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** @param {string} line @returns {string} the label itself, without those that it is below */
export function leafOf(line) {
  const parts = line.split(BELOW).map((part) => part.trim());
  return parts.filter((part) => part !== '').at(-1) ?? line;
}

/** @param {readonly Label[]} labels @returns {string} what `readLabels` reads */
export function writeLabels(labels) {
  return labels
    .map((label) => {
      if (typeof label === 'string') return label;
      return label.hint ? `${label.label}${HINT}${label.hint}` : label.label;
    })
    .join('\n');
}

/**
 * The text that stands for a label when it alone is asked about, as tagging puts it.
 * @param {string} name of the label
 * @param {readonly Label[]} labels those it was chosen from
 * @param {string} template
 */
export function promptFor(name, labels, template) {
  const label = labels.find((one) => typeof one !== 'string' && one.label === name);
  const hint = typeof label === 'object' && label.hint ? `, ${label.hint}` : '';
  return template.replaceAll('{}', `${name}${hint}`);
}
