/**
 * Pictures that another program has turned since they were looked at: they are the same, with what people say of them, but models and
 * small copies have them as they were.
 */

/** @param {import('./session.js').Session} session @param {import('./pictures.js').Picture} picture */
export function lookAgain(session, picture) {
  session.embeddings.forget(picture);
  for (const lane of session.lanes) {
    lane.remove(picture);
    lane.add([picture]);
  }
  session.dispatchEvent(new CustomEvent('turned', { detail: picture }));
}
