/**
 * Between cards and `Explainer`: whoever points at an answer is shown the map of it, in the card and in words.
 */

import { overlay } from 'ocelli';
import { TEMPLATE, promptFor } from './labels.js';
import { explain, isAbort, lookedAt } from './words.js';

/**
 * @typedef {import('./elements/picture-card.js').LookDetail} LookDetail
 * @typedef {import('./elements/picture-card.js').PictureCard} PictureCard
 * @typedef {import('./session.js').Picture} Picture
 */

/**
 * @param {HTMLElement} host of the cards, whose events arrive there
 * @param {ReadonlyMap<Picture, PictureCard>} cards
 * @param {import('./session.js').Session} session
 * @param {import('./explain.js').Explainer} inside
 * @param {(text: string) => void} announce
 */
export function showLooks(host, cards, session, inside, announce) {
  /** Counts looks: what an earlier one finds is no longer of interest. */
  let looks = 0;

  host.addEventListener('look', async (event) => {
    const { picture, about, text, shown, start } = /** @type {CustomEvent<LookDetail>} */ (event).detail;
    const card = picture && cards.get(picture);
    if (!card) return;
    const look = (looks += 1);
    try {
      const { vocabulary, template, templates, ...question } = await session.question.current;
      const labels = question.labels ?? vocabulary?.labels ?? [];
      const asked = about === 'tag' ? promptFor(text, labels, templates ? TEMPLATE : template) : text;
      const map = await inside.look(picture, { about, text: asked, start });
      if (look !== looks) return;
      const note = map ? lookedAt(about, shown) : 'The model cannot say where it looked.';
      if (map) card.reveal(note, (width, height) => overlay(map, width, height));
      else card.regret(note);
      announce(note);
    } catch (error) {
      if (look !== looks || isAbort(error)) return;
      const { sentence } = explain(error);
      card.regret(sentence);
      announce(sentence);
    }
  });

  for (const end of ['look-away', 'discard']) {
    host.addEventListener(end, () => {
      looks += 1;
      inside.leave();
    });
  }
}
