/**
 * The labels to begin with: those that the built-in model was trained to tell apart. They lie beside the
 * model as `labels.json`, a list of strings; without that file the page begins with a few everyday words.
 */

/** The question put to the model for each label, as CLIP was trained to read it. */
export const TEMPLATE = 'a photo of a {}.';

const EVERYDAY = [
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

/** @param {unknown} value @returns {value is string[]} */
function isListOfLabels(value) {
  return Array.isArray(value) && value.length > 0 && value.every((label) => typeof label === 'string');
}

/** @param {URL} folder of the built-in model @returns {Promise<string[]>} */
export async function firstLabels(folder) {
  try {
    const response = await fetch(new URL('labels.json', folder));
    const labels = response.ok ? await response.json() : null;
    return isListOfLabels(labels) ? labels : EVERYDAY;
  } catch {
    // Labels can be typed: a page without them is still a page.
    return EVERYDAY;
  }
}
