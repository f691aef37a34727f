/**
 * The labels of a question: as lines of text, as a model is asked about one of them, and those to fall back on where the
 * vocabulary cannot be had.
 */

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

/** What stands between a label and its hint in a line of the text field. */
const HINT = ': ';

/** @param {string} text one label on each line, as "dog" or "bat: a type of animal" @returns {Label[]} */
export function readLabels(text) {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const at = line.indexOf(HINT);
      if (at <= 0) return line;
      return { label: line.slice(0, at).trim(), hint: line.slice(at + HINT.length).trim() };
    });
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
