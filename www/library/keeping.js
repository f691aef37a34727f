/** The library on the page: opened when it is, told what changes, and shown in its own line. */

import { count } from '../words.js';
import { toldOf } from './entries.js';
import { leftLine, noteLeft, takeLeft } from './left.js';
import { Library } from './library.js';
import { LibraryStore } from './store.js';

/**
 * @param {object} page
 * @param {import('../session.js').Session} page.session
 * @param {import('../gallery.js').Gallery} page.gallery
 * @param {import('./folders.js').Folders} page.folders
 * @param {import('./removals.js').Removals} page.removals
 * @param {any} page.line the `<kept-pictures>`
 * @param {(sentence: string) => void} page.say puts a sentence where pictures come in, until some do
 * @param {(sentence: string) => void} page.announce
 * @param {() => Promise<void>} page.onForgotten everything was forgotten
 */
export function keepLibrary({ session, gallery, folders, removals, line, say, announce, onForgotten }) {
  /** Null as long as it is not open, and where the browser keeps nothing. @type {Library | null} */
  let library = null;
  /** Pictures that could not be read, of which there is nothing to keep. */
  let unread = 0;

  /** Whether there is what nobody wants to lose: what people have said, and what many pictures have taken. */
  const isWorth = () => gallery.isDense || session.corrections.isUsed || session.corrections.names.size > 0;

  /** @param {Library} opened */
  const show = ({ size, bytes, trouble }) => line.show({ size, bytes, trouble, unread });

  // Whoever closes the page has said all that they wanted to.
  const leave = () => {
    gallery.finish();
    library?.leave();
  };
  addEventListener('beforeunload', (event) => {
    leave();
    if (isWorth() && library?.isWhole !== true) event.preventDefault();
  });
  addEventListener('pagehide', () => {
    leave();
    if (library && (isWorth() || library.size > 0)) noteLeft(library.missing);
  });
  // A page that is there again, as it was, has lost nothing.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) takeLeft();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) void library?.flush();
  });
  for (const source of [session.corrections, session.lessons]) {
    source.addEventListener('change', () => library?.note({ said: true }));
  }
  line.addEventListener('forget-all', async () => {
    try {
      await library?.forget();
      await onForgotten();
    } catch {
      announce('This browser does not let go of what is kept.');
    }
  });

  return {
    /** Takes up what was kept on earlier visits. */
    async open() {
      const store = await LibraryStore.open();
      if (!store) return;
      const kept = folders.restore(store);
      void removals.restore(store);
      const opened = new Library(session, gallery.thumbnails, store);
      opened.addEventListener('change', () => show(opened));
      // Nothing of it is left in this tab either.
      opened.addEventListener('forgotten', () => location.reload());
      // What cannot be read is as good as nothing.
      const restored = await opened.restore().catch(() => 0);
      library = opened;
      show(opened);
      const back = restored > 0 ? `${count(restored, 'picture')} of an earlier visit` : '';
      if (back) announce(back);
      const left = takeLeft();
      if (left === 0) return;
      // What is to be done depends on the folders.
      void kept.then(() => {
        const sentence = leftLine(left, folders.closed.length > 0);
        say(sentence);
        announce(back ? `${back}. ${sentence}` : sentence);
      });
    },

    /**
     * Something has changed. A few pictures of which nobody has said anything are soon looked at again.
     * @param {{ open: number, failed: number }} tally of the pictures
     */
    note({ open, failed }) {
      if (library && open === 0 && failed !== unread) {
        unread = failed;
        show(library);
      }
      if (library && (isWorth() || library.size > 0)) library.note();
    },

    /** @param {readonly import('../session.js').Picture[]} pictures that were taken away */
    remove(pictures) {
      void library?.remove(pictures);
      void removals.add(pictures, (picture) => toldOf(session, picture));
    },

    /** @param {readonly import('../session.js').Picture[]} pictures that came back */
    return(pictures) {
      void removals.forget(pictures.map(({ path }) => path));
    },
  };
}
