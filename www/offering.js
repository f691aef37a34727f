/**
 * Where the built-in model is not sure of pictures, a larger one is offered: once for all of them, and by somebody's hand alone.
 *
 * @typedef {import('./session.js').Session} Session
 */

import { models } from 'ocelli';
import { choice } from './elements/model-picker.js';
import { keepText, keptText } from './kept-text.js';
import { costOf, suggestionLine, suggestions, worthOf } from './model-words.js';
import { count } from './words.js';

const PLACE = 'ocelli-offer-declined';
/** How long somebody who has said no is not asked again: 30 days, in milliseconds. */
const REST = 30 * 24 * 3600 * 1000;

/** How many pictures the tagger is not sure of, and nobody has said anything about. @param {Session} session */
function unsureOf(session) {
  const isUnsure = (/** @type {import('./session.js').Picture} */ picture) =>
    session.tags.jobs.get(picture)?.result?.sure === false && session.answerOf(picture)?.sure === false;
  return session.pictures.filter(isUnsure).length;
}

/**
 * @param {object} page
 * @param {Session} page.session
 * @param {any} page.line the `<larger-model>`
 * @param {() => void} page.onGone when the line goes while the keyboard is on it
 */
export function offerLarger({ session, line, onGone }) {
  const [suggestion] = suggestions('tag');
  let declined = Number(keptText(PLACE)) + REST > Date.now();

  /** @param {number} left how many pictures are still to be looked at */
  const offer = (left) => {
    const { model, engine } = session.tags;
    const used = model && models.find(model.id);
    if (declined || left > 0 || !suggestion || !used?.builtIn || !engine) return null;
    const unsure = unsureOf(session);
    if (unsure === 0) return null;
    const which =
      unsure === session.pictures.length && unsure === 1
        ? 'this picture'
        : `${unsure} of ${count(session.pictures.length, 'picture')}`;
    const { name, model: larger } = suggestion;
    const detail = [worthOf(larger), costOf(larger, used, session.embeddings.pace(engine))];
    return {
      sentence: `Not sure of ${which}. A larger model may know.`,
      detail: detail.filter(Boolean).join(' '),
      verb: suggestionLine(name, larger),
    };
  };

  line.addEventListener('take', () => {
    if (suggestion) void session.tags.use(choice(suggestion.model));
    onGone();
  });
  line.addEventListener('later', () => {
    declined = true;
    keepText(PLACE, String(Date.now()));
    line.show(null);
    onGone();
  });

  return {
    /** @param {{ open: number, stopped: number }} tally */
    show: ({ open, stopped }) => line.show(offer(open + stopped)),
  };
}
