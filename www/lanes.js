/**
 * The models on the page: for each lane of work the picker of its model and the notice of its state, and what of them is kept in this
 * browser.
 *
 * @typedef {import('./model-queue.js').ModelQueue<any, any>} Queue
 * @typedef {import('./session.js').Session} Session
 *
 * @typedef {object} LaneOnPage
 * @property {import('ocelli').ModelInfo['tasks'][number]} task
 * @property {string} name
 * @property {Queue} queue
 * @property {import('ocelli').ModelInfo | null} builtIn the model that comes with the page
 * @property {string} [none] how it is called to have no model yet; lanes without that are given theirs at once
 */

import { models } from 'ocelli';
import { chooseDevice } from './computing.js';
import { choice } from './elements/model-picker.js';
import { suggestions } from './model-words.js';
import { runsOn } from './words.js';

/** @param {import('ocelli').ModelInfo['tasks'][number]} task @returns the model that comes with the page, if any does */
function builtIn(task) {
  return models.list({ task }).find((one) => one.builtIn) ?? null;
}

/** @param {'tag' | 'caption'} task @returns the model that comes with the page */
function first(task) {
  const model = builtIn(task);
  if (!model) throw new Error(`the package lists no built-in model for the task ${task}`);
  return model;
}

/**
 * @param {object} given
 * @param {Session} given.session
 * @param {(selector: string) => any} given.find an element of the page
 * @param {(sentence: string) => void} given.announce
 * @param {import('./options.js').LoadOptions} given.given how models are loaded
 */
export function showLanes({ session, find, announce, given }) {
  const matching = builtIn('match');
  session.matches.preferred = matching && choice(matching);
  /** @type {LaneOnPage[]} */
  const onPage = [
    { task: 'tag', name: 'Tags', queue: session.tags, builtIn: first('tag') },
    { task: 'caption', name: 'Captions', queue: session.captions, builtIn: first('caption') },
    { task: 'classify', name: 'Classes', queue: session.classes, builtIn: null, none: 'None' },
    {
      task: 'match',
      name: 'Matching texts',
      queue: session.matches.queue,
      builtIn: matching,
      none: matching ? 'The built-in one, when texts are matched' : 'None',
    },
    { task: 'answer', name: 'Questions', queue: session.answers.queue, builtIn: null, none: 'None' },
  ];

  /**
   * A queue and those that are in the same state with the same model: it is loaded once for all of them, and what is to be said of it
   * is said once.
   * @param {Queue} queue
   */
  const together = (queue) =>
    session.everyLane.filter(({ model, status }) => model?.id === queue.model?.id && status === queue.status);

  const lanes = onPage.map(({ task, name, queue, builtIn, none }) => {
    const notice = find(`#${task}-notice`);
    const picker = find(`#${task}-picker`);
    const fallback = builtIn && choice(builtIn);
    const offered = { models: models.list({ task }), suggested: suggestions(task) };
    picker.begin(name, { ...offered, none, tokenizer: task !== 'classify' });
    picker.addEventListener('choose', (/** @type {CustomEvent} */ { detail }) => {
      if (detail) void queue.use(detail);
      else queue.leave();
    });
    notice.addEventListener('cancel', () => together(queue).forEach((one) => one.cancel()));
    notice.addEventListener('reload', () =>
      together(queue).forEach((one) => one.model && void one.use(one.model)),
    );
    notice.addEventListener('fallback', () => fallback && void queue.use(fallback));
    return { queue, notice, picker, fallback, atOnce: none === undefined };
  });

  chooseDevice({ element: find('compute-device'), lanes: onPage, given, stored: models.stored });

  const stored = find('stored-models');
  const refreshStored = async () => stored.show(await models.stored().catch(() => []));
  stored.addEventListener('forget', async (/** @type {CustomEvent<string>} */ { detail: id }) => {
    await models.remove(id).catch(() => false);
    await refreshStored();
    find('#models-panel summary').focus();
    announce(`${id} is no longer kept`);
  });

  /** Models that the list of what is kept was last made for. */
  let inUse = '';

  return {
    /** Loads the models that come with the page, where no other has been chosen. */
    begin() {
      for (const { queue, fallback, atOnce } of lanes) {
        if (atOnce && fallback && !queue.model) void queue.use(fallback);
      }
    },

    /** Whether a model that comes with the page is in use. */
    get builtInAtWork() {
      return lanes.some(({ queue, fallback }) => fallback && queue.model?.id === fallback.id);
    },

    /** Whether a model that every picture passes through is being loaded. */
    get areOpening() {
      return session.lanes.some(({ status }) => status === 'loading');
    },

    /** Brings notices and pickers in step with the session. */
    show() {
      /** What the models above run on: mostly all on the same, which is said once. */
      let said = '';
      const tagger = session.tags.model;
      const known = {
        used: (tagger && models.find(tagger.id)) ?? null,
        pace: session.embeddings.pace(session.tags.engine),
      };
      for (const { queue, notice, picker, fallback, atOnce } of lanes) {
        const { status, progress, error, model } = queue;
        notice.show({
          status,
          title: model?.title ?? 'the model',
          progress,
          error,
          canFallBack: fallback !== null && model?.id !== fallback.id,
          said: together(queue)[0] !== queue && model !== null,
        });
        const runs = queue.runtime ? runsOn(queue.runtime) : '';
        if (model || !atOnce) picker.show(model?.id ?? null, status, runs === said ? '' : runs, known);
        if (runs !== '') said = runs;
      }
      // What is kept changes whenever a model has been loaded.
      const ready = session.everyLane
        .map(({ status, model }) => (status === 'ready' ? model?.id : ''))
        .join(' ');
      if (ready !== inUse) void refreshStored();
      inUse = ready;
    },
  };
}
