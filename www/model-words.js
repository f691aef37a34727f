/**
 * Models in plain words: what somebody would choose one for, how good it is known to be, and what a picture takes with it.
 *
 * @typedef {import('ocelli').ModelInfo} ModelInfo
 * @typedef {ModelInfo['tasks'][number]} Task
 */

import { models } from 'ocelli';
import { bytes } from './words.js';

/**
 * What is suggested for a task, beside the model that comes with the page: the best that is known of a kind. The first for tags is
 * what somebody gets who only wants better ones, and so is no large download.
 *
 * @type {Partial<Record<Task, readonly { name: string, wanted: { language?: string, megabytes?: number } }[]>>}
 */
const SUGGESTED = {
  tag: [
    { name: 'Better tags', wanted: { megabytes: 300 } },
    { name: 'Labels in a hundred languages', wanted: { language: 'ja' } },
  ],
  caption: [{ name: 'Best captions', wanted: {} }],
  match: [{ name: 'Better matches', wanted: {} }],
  answer: [{ name: 'Answers', wanted: {} }],
};

/** What published figures mean. @type {Readonly<Record<string, (accuracy: number) => string>>} */
const FIGURES = {
  'ImageNet zero-shot top-1, %': (accuracy) =>
    `Of 100 pictures of a thousand kinds of things it names ${Math.round(accuracy)} (ImageNet, as published).`,
  'COCO CIDEr': (accuracy) => `Its captions are like people’s: ${accuracy} (CIDEr on COCO, as published).`,
  'COCO text recall at 1, %': (accuracy) =>
    `Of 100 pictures it finds the right sentence for ${Math.round(accuracy)}, among thousands (COCO, as published).`,
  'VQAv2, %': (accuracy) =>
    `Of 100 questions it answers ${Math.round(accuracy)} as people do (VQAv2, as published).`,
};

/**
 * How much longer a multiply-add takes in the convolutions of the model that comes with the page than in the matrices of a
 * transformer: the times of CLIP B/32 and of EfficientNet-Lite in `npm run bench -- --only towers`.
 */
const CONVOLUTIONAL = 2;

/** @param {Task} task @returns {{ name: string, model: ModelInfo }[]} */
export function suggestions(task) {
  return (SUGGESTED[task] ?? []).flatMap(({ name, wanted }) => {
    const model = models.recommend({ task, ...wanted });
    return model && !model.builtIn ? [{ name, model }] : [];
  });
}

/** @param {ModelInfo} model @returns {string} what is published of how good it is, and which languages it knows; empty where nothing is known */
export function worthOf({ accuracy, measure, languages }) {
  const figure = accuracy === null || measure === null ? '' : (FIGURES[measure]?.(accuracy) ?? '');
  const every = languages.includes('multilingual') ? 'It knows a hundred languages.' : '';
  return [figure, every].filter(Boolean).join(' ');
}

/** @param {ModelInfo} model what a picture takes with it, in units of the same time on the same machine */
function effort({ imageGmacs, builtIn }) {
  return imageGmacs * (builtIn ? CONVOLUTIONAL : 1);
}

/**
 * How much longer pictures take with a model than with the one in use.
 *
 * @param {ModelInfo} model
 * @param {ModelInfo} used
 * @param {number | null} pace milliseconds of the quickest picture so far with the one in use; what was needed to read its file is counted
 *   too, so that the time told is not exceeded
 * @returns {string} a sentence, or nothing where there is no difference to speak of
 */
export function costOf(model, used, pace) {
  const times = effort(model) / effort(used);
  if (times < 1.5) return '';
  const here = pace === null ? '' : `, here at most about ${secondsOf(pace * times)}`;
  return `A picture takes about ${digitOf(times)} times as long as with ${nameOf(used)}${here}.`;
}

/** @param {ModelInfo} model */
function nameOf({ builtIn, title }) {
  return builtIn ? 'the built-in model' : title;
}

/** @param {number} value @returns {number} its first digit and zeros: more is not known */
function digitOf(value) {
  return Number(value.toPrecision(1));
}

/** @param {number} milliseconds @returns {string} "0.3 s", "20 s" */
function secondsOf(milliseconds) {
  return milliseconds < 95 ? 'a tenth of a second' : `${digitOf(milliseconds / 1000)}\u00a0s`;
}

/** @param {string} name of a suggestion @param {ModelInfo} model @returns {string} "Better tags, 208 MB" */
export function suggestionLine(name, model) {
  return `${name}, ${bytes(model.bytes)}`;
}
