/**
 * The tasks: one row each.
 *
 * @typedef {'tag' | 'embed' | 'caption' | 'match' | 'answer' | 'classify' | 'encode-text'} Task What a model is for.
 *
 * @typedef {object} TaskInfo
 * @property {string} className of the package
 * @property {boolean} readsTexts whether its models have a tokenizer
 * @property {boolean} seesPictures whether they say how pictures are prepared
 */

/** @type {Readonly<Record<Task, TaskInfo>>} */
export const TASKS = Object.freeze({
  tag: { className: 'Tagger', readsTexts: true, seesPictures: true },
  embed: { className: 'Embedder', readsTexts: true, seesPictures: true },
  caption: { className: 'Captioner', readsTexts: true, seesPictures: true },
  match: { className: 'Matcher', readsTexts: true, seesPictures: true },
  answer: { className: 'Answerer', readsTexts: true, seesPictures: true },
  classify: { className: 'Classifier', readsTexts: false, seesPictures: true },
  'encode-text': { className: 'TextEncoder', readsTexts: true, seesPictures: false },
});

export const TASK_NAMES = /** @type {readonly Task[]} */ (Object.freeze(Object.keys(TASKS)));
