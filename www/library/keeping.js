/** The library on the page: opened when it is, told what changes, and shown in its own line. */

import { count } from '../words.js';
import { noteLeft, takeLeft } from './left.js';
import { Library } from './library.js';
import { LibraryStore } from './store.js';

/**
 * @param {object} page
 * @param {import('../session.js').Session} page.session
 * @param {import('../gallery.js').Gallery} page.gallery
 * @param {import('./folders.js').Folders} page.folders
 * @param {import('./removals.js').Removals} page.removals
 * @param {any} page.line the `<kept-pictures>`
 * @param {(sentence: string) => void} page.say puts a sentence where pictures come in: without any, the line is not seen
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

  /** Pictures that the last visit has left unseen, as long as none has come in since; and how many there were then. */
  let left = 0;
  let before = 0;

  /** @param {Library} opened */
  const show = ({ size, bytes, trouble }) =>
    line.show({ size, bytes, trouble, unread, left, again: folders.closed.length > 0 });

  // Whoever closes the page has said all that they wanted to.
  addEventListener('beforeunload', (event) => {
    library?.leave();
    if (gallery.isWriting || (isWorth() && library?.isWhole !== true)) event.preventDefault();
  });
  addEventListener('pagehide', () => {
    library?.leave();
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
      left = takeLeft();
      before = session.pictures.length;
      show(opened);
      if (restored > 0) announce(`${count(restored, 'picture')} of an earlier visit`);
      if (left === 0) return;
      // What is to be done depends on the folders.
      void kept.then(() => {
        show(opened);
        if (restored === 0) say(line.leftLine);
        announce(
          `${restored > 0 ? `${count(restored, 'picture')} of an earlier visit. ` : ''}${line.leftLine}`,
        );
      });
    },

    /**
     * Something has changed. A few pictures of which nobody has said anything are soon looked at again.
     * @param {{ total: number, open: number, failed: number }} tally of the pictures
     */
    note({ total, open, failed }) {
      const isNew = left > 0 && total > before;
      if (isNew) left = 0;
      const isRead = open === 0 && failed !== unread;
      if (isRead) unread = failed;
      if (library && (isNew || isRead)) show(library);
      if (library && (isWorth() || library.size > 0)) library.note();
    },

    /** @param {readonly import('../session.js').Picture[]} pictures that were taken away */
    remove(pictures) {
      void library?.remove(pictures);
      void removals.add(pictures);
    },

    /** @param {readonly import('../session.js').Picture[]} pictures that came back */
    return(pictures) {
      void removals.forget(pictures.map(({ path }) => path));
    },
  };
}
