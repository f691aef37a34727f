/**
 * Between the labels on the page, with how they are scored, and the question that taggers are asked: what somebody applies is asked of
 * every picture, and again on the next visit.
 *
 * @typedef {import('./session.js').Question} Question
 * @typedef {import('./kept-question.js').Applied} Applied
 */

import { templates } from 'ocelli';
import { on } from './elements/dom.js';
import { keepQuestion, keptQuestion } from './kept-question.js';
import { EVERYDAY, readLabels, readPaths, TEMPLATE } from './labels.js';
import { count } from './words.js';

/** What the settings of tags are at first. */
const AS_BEGUN = JSON.stringify(['one', { scores: 'softmax', none: false }]);

/**
 * What is asked before anybody says otherwise: what was applied on an earlier visit, or the tags of the vocabulary.
 * @param {import('ocelli').Vocabulary | null} vocabulary
 * @returns {Question}
 */
export function firstQuestion(vocabulary) {
  const applied = keptQuestion();
  const listed = vocabulary ? null : EVERYDAY;
  return {
    labels: typeof applied?.text === 'string' ? readLabels(applied.text) : listed,
    extra: readLabels(applied?.added ?? ''),
    template: applied?.template ?? TEMPLATE,
    vocabulary,
  };
}

/**
 * @param {object} given
 * @param {import('./session.js').Session} given.session
 * @param {any} given.labels the `<label-editor>`
 * @param {any} given.settings the `<tag-settings>`
 * @param {(sentence: string) => void} given.announce
 */
export function askQuestions({ session, labels, settings, announce }) {
  /** In the place of the first labels. @type {Applied | null} */
  let applied = keptQuestion();
  session.paths.begin(readPaths([applied?.text, applied?.added].filter(Boolean).join('\n')));
  /** How tags are scored, to tell whether anything is to be asked anew. */
  let scored = AS_BEGUN;
  /** The tagger whose labels are in the editor. @type {unknown} */
  let labelled = null;

  /** Asks anew about tags, with what has changed. @param {Partial<Question>} change */
  const ask = async (change) => session.ask({ ...(await session.question.current), ...change });

  on(labels, 'ask', async ({ labels: asked, paths, template, extra, text, added }) => {
    session.paths.ask(paths);
    const { vocabulary } = await session.question.current;
    const ofVocabulary = extra !== null && Boolean(vocabulary) && template === TEMPLATE;
    const isFirst = extra?.length === 0 && template === TEMPLATE;
    applied = isFirst
      ? null
      : { text: ofVocabulary ? null : text, added: ofVocabulary ? added : '', template };
    keepQuestion(applied);
    void ask({ labels: ofVocabulary ? null : asked, extra: ofVocabulary ? extra : [], template });
    announce(`${count(asked.length, 'label')} to tag with`);
  });
  on(settings, 'settings', (/** @type {import('./elements/tag-settings.js').Scoring} */ detail) => {
    const { prompts, threshold, ...scoring } = detail;
    session.threshold = threshold;
    const asked = JSON.stringify([prompts, scoring]);
    if (asked === scored) return;
    scored = asked;
    const several = { one: null, 7: templates.imagenet7, 80: templates.imagenet80 }[prompts];
    labels.silence(several !== null);
    void ask({ ...scoring, templates: several });
  });

  return {
    /** Puts the labels that a tagger is asked with into the editor, and those of its own behind Restore. */
    async show() {
      const tagger = session.tags.engine;
      if (!tagger || tagger === labelled) return;
      labelled = tagger;
      labels.begin({ labels: await session.question.firstOf(tagger), template: TEMPLATE }, applied);
    },

    /** Forgets what was applied, and what tags are below. */
    forget() {
      keepQuestion(null);
      session.paths.put(new Map());
    },
  };
}
