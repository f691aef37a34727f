/**
 * Between `<picture-finder>` and the search: pictures that fit words or are like another one, and the way back to all of them.
 *
 * @typedef {import('./session.js').Picture} Picture
 */

import { calledSo, meantBy } from './called.js';
import { on } from './elements/dom.js';
import { bestFirst } from './near-duplicates.js';
import { labelsWithin } from './phrases.js';
import { wordsOf, written } from './query.js';
import { hasWords } from './said.js';
import { count, explain, isAbort } from './words.js';

/**
 * @param {object} given
 * @param {import('./session.js').Session} given.session
 * @param {import('./image-search.js').ImageSearch} given.search
 * @param {import('./gallery.js').Gallery} given.gallery
 * @param {import('./tag-names.js').TagNames} given.names
 * @param {any} given.finder the `<picture-finder>`
 * @param {HTMLElement} given.filter where near-duplicates are asked for
 * @param {(others: Picture[]) => void} given.onDuplicates they were found: all but the best of each group
 * @param {HTMLElement} given.pictures what the events of cards arrive at
 * @param {() => void} given.onChange something is to be shown, soon
 * @param {() => void} given.show brings what is on screen in step, at once
 * @param {(sentence: string) => void} given.announce
 */
export function find({
  session,
  search,
  gallery,
  names,
  finder,
  filter,
  pictures,
  onDuplicates,
  onChange,
  show,
  announce,
}) {
  /** How the pictures are arranged: not as they came, about to be, and what there is to say of it. */
  let state = { arranged: false, busy: false, duplicates: false, line: '' };

  /** @param {Partial<typeof state>} change */
  const become = (change) => {
    state = { ...state, ...change };
    onChange();
  };

  const told = (/** @type {number} */ looked, /** @type {number} */ all) =>
    become({ line: `Comparing the pictures: ${looked} of ${all}` });

  /** @param {string | Picture} wanted */
  const arrange = async (wanted) => {
    become({ busy: true, duplicates: false, line: 'Comparing the pictures' });
    try {
      const found = await foundOf(wanted);
      if (!found) {
        become({ busy: false, line: 'The tagger is not loaded yet.' });
      } else {
        const { order, fitting } = found;
        const all = fitting === 0 && typeof wanted === 'string' && wordsOf(wanted).wanted.length === 0;
        // What does not fit stays behind; where nothing does, the nearest come first.
        if (all) session.arrange(null);
        else if (fitting === 0) session.arrange(order);
        else session.arrange(order.slice(0, fitting), { alone: fitting < order.length });
        become({ arranged: !all, busy: false, line: lineOf(wanted, found) });
      }
    } catch (error) {
      // Whoever ended it has said what is on the line now.
      if (isAbort(error)) return;
      become({ busy: false, line: explain(error).sentence });
    }
    // Before the keyboard goes there: what is moved loses it.
    show();
    announce(state.line);
    if (typeof wanted !== 'string') gallery.takeFocus(wanted, true);
  };

  /** @param {string | Picture} wanted @returns {Promise<Answer | null>} null where there is no tagger */
  const foundOf = async (wanted) => {
    if (typeof wanted !== 'string') return search.find(wanted, told);
    const words = wordsOf(wanted);
    // A tag is looked for as the model knows it, whatever it is called here.
    const known = words.wanted.map((word) => meantBy(names, word));
    if (known.length > 0) {
      const found = await search.find(
        written({ wanted: known, absent: words.absent.map((word) => meantBy(names, word)) }),
        told,
      );
      const whole = found && withNamed(found, called(words));
      return whole && byParts(words, whole);
    }
    // Of what could not be looked at nobody knows what it shows.
    const unread = session.pictures.filter((picture) => session.tags.jobs.get(picture)?.status === 'failed');
    const showing = new Set(unread);
    for (const word of words.absent) {
      const found = await search.find(meantBy(names, word), told);
      if (!found) return null;
      const fitting = found.canTell ? found.order.slice(0, found.fitting) : [];
      for (const picture of [...fitting, ...notTo(word)]) showing.add(picture);
    }
    return without(session.arrived, showing);
  };

  /**
   * What a phrase has found, with what fits the labels in it, too, in front: "boats at sea" are boats first. Where nothing fits the phrase,
   * those that fit its labels, or at least the first of them, as near as they come to the phrase.
   * @param {import('./query.js').Words} words
   * @param {import('./image-search.js').Found} whole what the phrase itself has found
   * @returns {Promise<Answer>}
   */
  const byParts = async ({ wanted, absent }, whole) => {
    const [phrase = '', ...others] = wanted;
    const labels =
      whole.canTell && others.length === 0 && absent.length === 0 ? labelsWithin(names, phrase) : [];
    /** @type {ReadonlySet<Picture>[]} */
    const fits = [];
    for (const label of labels) {
      const found = await search.find(label, told);
      if (!found) return whole;
      const { order, fitting } = withNamed(found, called({ wanted: [label], absent: [] }));
      fits.push(new Set(order.slice(0, fitting)));
    }
    if (fits.length === 0) return whole;
    const { order, fitting } = whole;
    const among = fitting > 0 ? order.slice(0, fitting) : order;
    const fitAll = among.filter((picture) => fits.every((some) => some.has(picture)));
    if (fitting > 0) {
      const { named } = called({ wanted, absent });
      return { ...whole, order: [...new Set([...named, ...fitAll, ...order])] };
    }
    const fitFirst = order.filter((picture) => fits[0]?.has(picture));
    const [fit, parts] = fitAll.length > 0 ? [fitAll, labels] : [fitFirst, labels.slice(0, 1)];
    if (fit.length === 0) return whole;
    const labelled = parts.map((label) => names.nameOf(label));
    return { ...whole, order: [...new Set([...fit, ...order])], fitting: fit.length, parts: labelled };
  };

  /** Pictures that are called what is to be absent: where they lie says nothing of what they show. @param {string} word */
  const notTo = (word) => calledSo(session, names, word, { byFile: false });

  /** Pictures that are called what is wanted, and those that are called what is to be absent. @param {import('./query.js').Words} words */
  const called = ({ wanted, absent }) => {
    const without = new Set(absent.flatMap(notTo));
    const [first = [], ...others] = wanted.map((word) => calledSo(session, names, word));
    const within = others.map((some) => new Set(some));
    const all = first.filter((picture) => !without.has(picture) && within.every((some) => some.has(picture)));
    return { named: all, without };
  };

  /** Shows those that are nearly the same beside each other, with all but the best of each group selected. */
  const duplicates = async () => {
    become({ busy: true, line: 'Comparing the pictures' });
    try {
      const found = await search.duplicates((picture) => gallery.thumbnails.copyOf(picture), told);
      const isOfCamera = (/** @type {Picture} */ one) => session.fileWords.of(one)?.taken !== undefined;
      const isSaid = (/** @type {Picture} */ one) => hasWords(session, one);
      const groups = found.map((group) => bestFirst(group, gallery.thumbnails, isOfCamera, isSaid));
      const all = groups.flat();
      if (groups.length > 0) session.arrange(all, { alone: true, groups });
      become({
        arranged: groups.length > 0,
        busy: false,
        duplicates: groups.length > 0,
        line: linesOf(groups, all),
      });
      show();
      if (groups.length > 0) onDuplicates(groups.flatMap(([, ...others]) => others));
    } catch (error) {
      if (isAbort(error)) return;
      become({ busy: false, line: explain(error).sentence });
    }
    announce(state.line);
  };

  on(filter, 'duplicates', () => void duplicates());
  on(pictures, 'like', (picture) => {
    gallery.shut();
    void arrange(picture);
  });
  on(finder, 'find', (text) => {
    const { wanted, absent } = wordsOf(text);
    if (wanted.length + absent.length === 0) {
      become({ line: 'Write a word behind the sign: “- people” finds pictures without them.' });
      return;
    }
    void arrange(text);
  });
  on(finder, 'stop', () => {
    search.leave();
    become({ busy: false, line: '' });
  });
  const showAll = () => {
    search.leave();
    session.arrange(null);
    become({ arranged: false, busy: false, duplicates: false, line: '' });
  };
  const leave = () => {
    showAll();
    announce('All pictures, in the order in which they came');
  };
  on(finder, 'unfind', leave);

  return {
    /** What `<picture-finder>` shows. */
    get state() {
      if (!state.arranged) return state;
      const hidden = session.arranged - session.shown.length;
      if (hidden <= 0) return state;
      return { ...state, line: `${state.line}. The filter hides ${hidden} of them.`.replace('..', '.') };
    },

    /** Pictures came in, which are to be seen: nothing is looked for any more. */
    welcome() {
      if (!state.arranged && !state.busy) return;
      finder.clear();
      showAll();
    },

    /** Pictures were taken away: of near-duplicates nothing is left to say. */
    settle() {
      if (state.duplicates) leave();
    },
  };
}

/** @typedef {import('./image-search.js').Found & { parts?: string[] }} Answer `parts`: what the labels are called that they fit in place of the whole */

/** @typedef {{ named: readonly Picture[], without: ReadonlySet<Picture> }} Called */

/**
 * What was found, with the pictures in front that are called so, and without those that are called what is to be absent.
 * @param {import('./image-search.js').Found} found
 * @param {Called} called
 * @returns {import('./image-search.js').Found}
 */
function withNamed({ order, fitting, canTell }, { named, without }) {
  const front = new Set(named);
  const fit = new Set(order.slice(0, fitting).filter((picture) => !without.has(picture)));
  for (const picture of named) fit.add(picture);
  // Of those that are called so, too, the nearest come first.
  const first = order.filter((picture) => front.has(picture));
  return { order: [...new Set([...first, ...front, ...fit, ...order])], fitting: fit.size, canTell };
}

/** Pictures without some of them, which come last. @param {readonly Picture[]} pictures @param {ReadonlySet<Picture>} showing */
function without(pictures, showing) {
  const left = pictures.filter((picture) => !showing.has(picture));
  return { order: [...left, ...showing], fitting: left.length, canTell: true };
}

/** @param {readonly Picture[][]} groups @param {readonly Picture[]} all */
function linesOf(groups, all) {
  if (groups.length === 0) return 'No two pictures are nearly the same.';
  const several = `${count(groups.length, 'group')} of ${count(all.length, 'picture')} that are nearly the same`;
  return `${several}. All but the best of each are selected: the one with the most pixels stays, or the camera’s own.`;
}

/** @param {string | Picture} wanted @param {Answer} found */
function lineOf(wanted, { order, fitting, parts }) {
  if (typeof wanted !== 'string') return `Ordered by likeness to ${wanted.name}`;
  const words = wordsOf(wanted);
  if (words.wanted.length === 0) {
    const absent = words.absent.map((word) => `“${word}”`).join(' or ');
    if (fitting === 0) return `Every picture seems to show ${absent}: these are all pictures.`;
    return `${count(fitting, 'picture')} of ${order.length} without ${absent}`;
  }
  if (fitting === 0) return `Nothing surely fits “${wanted}”: these are all pictures, the nearest first.`;
  const fit = (/** @type {string} */ what) =>
    `${count(fitting, 'picture')} of ${order.length} fit ${what}`.replace(
      /^(1 picture of .*) fit /,
      '$1 fits ',
    );
  if (!parts) return fit(`“${wanted}”`);
  const labels = parts.map((name) => `“${name}”`).join(' and ');
  return `Nothing surely fits all of “${wanted}”, but ${fit(labels)}: the nearest come first.`;
}
