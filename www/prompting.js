/**
 * Between `<find-prompt>` and the package's interrogator: the models that are at work on the page find prompts, one picture at a time.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./elements/find-prompt.js').Prompting} Prompting
 */

import { explain, isAbort, progressLine } from './words.js';

/** @type {Prompting} */
const NOTHING = { busy: false, line: '', prompt: '' };

/**
 * @param {object} given
 * @param {import('./session.js').Session} given.session
 * @param {import('./gallery.js').Gallery} given.gallery
 * @param {HTMLElement} given.pictures what the events of cards arrive at
 * @param {Pick<typeof import('ocelli').Interrogator, 'load'>} given.Interrogator
 */
export function findPrompts({ session, gallery, pictures, Interrogator }) {
  /** What was found of each picture. @type {WeakMap<Picture, Prompting>} */
  const found = new WeakMap();
  /** @type {{ picture: Picture, controller: AbortController } | null} */
  let current = null;
  /** One for each pair of models. @type {{ tagger: unknown, captioner: unknown, interrogator: Promise<import('ocelli').Interrogator> } | null} */
  let loaded = null;

  /** @param {Picture} picture @param {Partial<Prompting>} change */
  const become = (picture, change) => {
    const state = { ...NOTHING, ...found.get(picture), ...change };
    found.set(picture, state);
    gallery.cards.get(picture)?.prompting.show(state);
  };

  const leave = () => {
    current?.controller.abort();
    if (current) become(current.picture, { busy: false, line: '' });
    current = null;
  };

  const engine = () => {
    const [tagger, captioner] = [session.tags.engine, session.captions.engine];
    if (!tagger || !captioner) return null;
    if (loaded?.tagger !== tagger || loaded.captioner !== captioner) {
      const interrogator = Interrogator.load({ tagger, captioner });
      loaded = { tagger, captioner, interrogator };
      interrogator.catch(() => (loaded = null));
    }
    return loaded.interrogator;
  };

  pictures.addEventListener('prompt', async (event) => {
    const { picture, mode } = /** @type {CustomEvent} */ (event).detail;
    leave();
    const loading = engine();
    if (!loading) {
      become(picture, { line: 'Tags and captions need their models first.' });
      return;
    }
    const controller = new AbortController();
    const mine = { picture, controller };
    current = mine;
    const { signal } = controller;
    become(picture, { busy: true, line: 'Reading the terms', prompt: '' });
    const caption = session.captionsOf(picture)?.[0]?.caption;
    try {
      const interrogator = await loading;
      const { prompt } = await interrogator.interrogate(picture.file, {
        mode,
        signal,
        // What somebody has put right counts here, too.
        ...(mode !== 'negative' && caption && { caption }),
        onProgress: (progress) => current === mine && become(picture, { line: progressLine(progress, '') }),
        onPrompt: ({ prompt }) => current === mine && become(picture, { prompt }),
      });
      if (current === mine) become(picture, { busy: false, line: '', prompt });
    } catch (error) {
      if (isAbort(error)) return;
      become(picture, { busy: false, line: explain(error).sentence });
    } finally {
      if (current === mine) current = null;
    }
  });
  for (const end of ['unprompt', 'discard']) pictures.addEventListener(end, leave);
  gallery.addEventListener('card', (event) => {
    const picture = /** @type {CustomEvent<Picture>} */ (event).detail;
    const state = found.get(picture);
    if (state) gallery.cards.get(picture)?.prompting.show(state);
  });
}
