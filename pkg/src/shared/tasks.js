/**
 * The tasks: one row each.
 *
 * @typedef {'tag' | 'embed' | 'caption' | 'match' | 'answer' | 'classify'} Task What a model is for.
 *
 * @typedef {object} TaskInfo
 * @property {string} className of the package
 * @property {boolean} readsTexts whether its models have a tokenizer
 */

/** @type {Readonly<Record<Task, TaskInfo>>} */
export const TASKS = Object.freeze({
  tag: { className: 'Tagger', readsTexts: true },
  embed: { className: 'Embedder', readsTexts: true },
  caption: { className: 'Captioner', readsTexts: true },
  match: { className: 'Matcher', readsTexts: true },
  answer: { className: 'Answerer', readsTexts: true },
  classify: { className: 'Classifier', readsTexts: false },
});

export const TASK_NAMES = /** @type {readonly Task[]} */ (Object.freeze(Object.keys(TASKS)));
