/** A button that copies a text, and says for a moment what has become of it. Dispatches `announce` with that. */

import { button, tell, write } from './dom.js';

/** Milliseconds in which it says so. */
const SAID = 1600;

/**
 * @param {string} title
 * @param {() => string} read what is copied
 * @param {Record<string, unknown>} [properties]
 */
export function copyButton(title, read, properties = {}) {
  const copy = button(
    title,
    'button button-quiet copy',
    async () => {
      const done = await navigator.clipboard.writeText(read()).then(
        () => 'Copied',
        () => 'Not allowed',
      );
      write(copy, done);
      tell(copy, 'announce', done);
      setTimeout(() => write(copy, title), SAID);
    },
    properties,
  );
  return copy;
}
