/**
 * What people change about their pictures: it goes from the elements into the session, step by step, and each step can be taken back.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./corrections.js').Change} Change
 * @typedef {import('./elements/tag-editor.js').Correction} Correction
 */

import { readCaption, readTags } from './corrections.js';
import { on } from './elements/dom.js';
import { History } from './history.js';
import { joinedMap } from './joining.js';
import { BELOW, leafOf } from './labels.js';
import { shownCaptions } from './said.js';
import { readPath } from './tag-paths.js';
import { capital, count } from './words.js';

/**
 * @param {object} given
 * @param {Session} given.session
 * @param {import('./gallery.js').Gallery} given.gallery
 * @param {import('./tag-names.js').TagNames} given.names
 * @param {HTMLElement} given.pictures what the events of cards and tiles arrive at
 * @param {any} given.bar the `<selection-bar>`
 * @param {any} given.line the `<undo-line>`
 * @param {any} given.select the button that begins to select
 * @param {(pictures: Picture[]) => void} given.onRemoved
 * @param {(pictures: Picture[]) => void} given.onReturned what was removed is there again
 * @param {() => void} given.onEmpty the last picture has been taken away
 * @param {(from: string, to: string) => void} given.onMerged pictures of one label have another in its place
 */
export function edit({
  session,
  gallery,
  names,
  pictures,
  bar,
  line,
  select,
  onRemoved,
  onReturned,
  onEmpty,
  onMerged,
}) {
  const { corrections } = session;
  const history = new History();

  /** @param {string} title @param {() => void} apply @param {() => void} revert */
  const take = (title, apply, revert) => {
    history.take({ title, apply, revert });
    line.say(title, { undo: true, redo: history.next !== null });
  };

  /** Says what is nothing to take back. @param {string} sentence */
  const tellOnly = (sentence) =>
    line.say(sentence, { undo: history.last !== null, redo: history.next !== null });

  /**
   * Says something of each of the pictures.
   * @param {string} title
   * @param {ReadonlyMap<Picture, Change>} changes
   * @param {{ done?: () => void, undone?: () => void }} [after] what follows, each time
   */
  const correctEach = (title, changes, { done, undone } = {}) => {
    const steps = stepsOf(changes);
    take(
      title,
      () => {
        corrections.move(steps.there);
        done?.();
      },
      () => {
        corrections.move(steps.back);
        undone?.();
      },
    );
  };

  /** What is said of pictures, before and after. @param {ReadonlyMap<Picture, Change>} changes */
  const stepsOf = (changes) => {
    const there = [...changes].map(([picture, change]) => ({
      picture,
      from: corrections.of(picture),
      to: corrections.changed(picture, change),
    }));
    return { there, back: there.map(({ picture, from, to }) => ({ picture, from: to, to: from })) };
  };

  /**
   * Says the same of pictures.
   * @param {string} title
   * @param {readonly Picture[]} chosen
   * @param {Change} change
   * @param {Parameters<typeof correctEach>[2]} [after]
   */
  const correct = (title, chosen, change, after) =>
    correctEach(title, new Map(chosen.map((picture) => [picture, change])), after);

  /** @param {string} name as it was typed: “pets|Minka” is Minka */
  const labelOf = (name) => names.labelOf(leafOf(name));
  /**
   * Puts tags below others, as they were typed.
   * @param {readonly string[]} typed
   * @param {(name: string) => string} [toLabel]
   */
  const placing = (typed, toLabel = labelOf) => {
    const before = session.paths.given;
    const after = session.paths.with(typed, toLabel);
    return { done: () => session.paths.put(after), undone: () => session.paths.put(before) };
  };

  /** @param {readonly Picture[]} chosen @returns {string} how they are called in a sentence */
  const called = (chosen) =>
    chosen.length === 1 ? (chosen[0]?.name ?? '') : count(chosen.length, 'picture');
  /** @param {readonly string[]} labels */
  const quoted = (labels) => labels.map((label) => `“${names.nameOf(label)}”`).join(', ');

  /** @param {readonly Picture[]} chosen @param {Omit<Correction, 'pictures'>} said */
  const say = (chosen, { add, agree, remove, unsay, caption }) => {
    if (chosen.length === 0) return;
    if (caption !== undefined) {
      const [first] = chosen;
      // Whoever empties what the file says wants what the model does.
      const shown = chosen.length === 1 && first ? shownCaptions(session, first) : null;
      const text = readCaption(caption) ?? (shown?.[0]?.filed ? (shown[1]?.caption ?? null) : null);
      const known = chosen.every(
        (picture) => (shownCaptions(session, picture)?.[0]?.caption ?? null) === text,
      );
      const isOfFile = chosen.some((picture) => session.fileWords.of(picture)?.caption);
      const back = `Without a caption of yours, ${isOfFile ? 'the file’s' : 'the page’s own'} is there again`;
      const title = `${text === null ? `${back}:` : 'Changed the caption of'} ${called(chosen)}.`;
      if (!known) correct(title, chosen, { caption: text });
      return;
    }
    const typed = readTags(add ?? '');
    const given = [...new Set(typed.map(labelOf))];
    if (given.length > 0) {
      correct(`Added ${quoted(given)} to ${called(chosen)}.`, chosen, { add: given }, placing(typed));
    }
    if (agree !== undefined) correct(`${capital(quoted([agree]))} is right.`, chosen, { add: [agree] });
    if (unsay !== undefined) {
      correct(`Nothing is said of ${quoted([unsay])} now.`, chosen, { unsay: [unsay] });
    }
    if (remove !== undefined) {
      const changes = chosen.map((picture) => [picture, [remove, ...kindsOf(remove, picture)]]);
      takeEach(new Map(/** @type {[Picture, string[]][]} */ (changes)));
    }
  };

  /** Takes tags away. @param {ReadonlyMap<Picture, string[]>} going @returns {string} what was done, in a sentence */
  const takeEach = (going) => {
    const labels = new Set([...going.values()].flat());
    const title = `Took ${quoted([...labels])} away from ${called([...going.keys()])}.`;
    correctEach(title, new Map([...going].map(([picture, remove]) => [picture, { remove }])));
    return title;
  };

  /**
   * Tags of a picture that are kinds of one that is wrong: what is no animal is no dog. Where somebody has agreed to one of them, it is only
   * the word that is not wanted.
   * @param {string} label
   * @param {Picture} picture
   */
  const kindsOf = (label, picture) => {
    const kinds = labelsOf(picture).filter((one) => names.isBelow(one, [label]));
    const agreed = corrections.of(picture)?.own ?? [];
    return kinds.some((one) => agreed.includes(one)) ? [] : kinds;
  };

  /** @param {Picture} picture */
  const labelsOf = (picture) =>
    (session.answerOf(picture)?.tags ?? []).flatMap((tag) => (tag.label === null ? [] : tag.label));

  /** Takes tags away from those pictures that have them. @param {string} text @param {readonly Picture[]} chosen */
  const takeAway = (text, chosen) => {
    const typed = readTags(text).map(leafOf);
    if (typed.length === 0 || chosen.length === 0) return;
    /** @type {Map<Picture, string[]>} */
    const going = new Map();
    for (const picture of chosen) {
      const named = labelsOf(picture).filter((label) => typed.some((name) => names.isCalled(label, name)));
      if (named.length > 0) going.set(picture, named);
    }
    const gone = [...going.values()].flat();
    const missing = typed.filter((name) => !gone.some((label) => names.isCalled(label, name)));
    const nobody = chosen.length === 1 ? `${called(chosen)} has no` : `None of the ${called(chosen)} has`;
    const absent = missing.map((name) => `${nobody} “${name}”.`).join(' ');
    if (going.size === 0) return tellOnly(absent);
    const title = takeEach(going);
    if (absent) tellOnly(`${title} ${absent}`);
  };

  /** @param {readonly Picture[]} chosen */
  const discard = (chosen) => {
    const [first] = chosen;
    const goOn = chosen.length === 1 && first ? gallery.leave(first) : null;
    let back = () => {};
    take(
      `Removed ${called(chosen)} from this page. The files stay where they are.`,
      () => {
        back = session.remove(...chosen);
        onRemoved([...chosen]);
      },
      () => {
        back();
        onReturned([...chosen]);
      },
    );
    const others = goOn ? goOn() : session.pictures.length > 0;
    if (!others) onEmpty();
  };

  /** Teaches a label by pictures, which get it. @param {string | undefined} name as it was typed @param {readonly Picture[]} examples */
  const teach = (name, examples) => {
    const { lessons } = session;
    if (name === undefined || examples.length === 0) return;
    const label = labelOf(name);
    const place = placing([name]);
    const title = `Taught ${quoted([label])} by ${called(examples)}.`;
    const steps = stepsOf(new Map(examples.map((picture) => [picture, { add: [label] }])));
    const [before, after] = [lessons.examples, lessons.with(label, examples)];
    take(
      title,
      () => {
        corrections.move(steps.there);
        lessons.put(joinedMap(before, after, lessons.examples));
        place.done();
      },
      () => {
        corrections.move(steps.back);
        lessons.put(joinedMap(after, before, lessons.examples));
        place.undone();
      },
    );
    const others = session.countTaught(label);
    const got = `${count(others, 'picture')} like ${examples.length === 1 ? 'it' : 'them'} ${others === 1 ? 'has' : 'have'} it now.`;
    line.say(`${title} ${others === 0 ? 'No other picture is much like them.' : got}`, { undo: true });
  };

  /** @param {ReadonlySet<Picture> | null} selected */
  const choose = (selected) => {
    gallery.select(selected);
    select.setAttribute('aria-pressed', String(selected !== null));
    session.dispatchEvent(new Event('change'));
  };
  /** Those of the selected that are still there. */
  const chosen = () => session.pictures.filter((picture) => gallery.selected?.has(picture));

  on(pictures, 'correct', ({ pictures: said, ...correction }) => say(said, correction));
  on(pictures, 'discard', (picture) => discard([picture]));
  on(pictures, 'mark', ({ pictures: some, on: wanted }) => {
    const selected = new Set(gallery.selected);
    for (const picture of some) {
      if (wanted) selected.add(picture);
      else selected.delete(picture);
    }
    choose(selected);
  });
  const leave = () => {
    bar.finish();
    choose(null);
    // The bar goes, and the keyboard must not go with it.
    gallery.takeFocusAnywhere() || select.focus();
  };
  for (const host of [pictures, bar]) on(host, 'select-none', leave);
  on(bar, 'select-all', () => choose(new Set(session.shown)));
  on(bar, 'correct-selected', ({ add, remove }) => {
    if (add !== undefined) say(chosen(), { add });
    if (remove !== undefined) takeAway(remove, chosen());
  });
  on(bar, 'discard-selected', () => {
    discard(chosen());
    if (session.pictures.length > 0) leave();
    else choose(null);
  });
  on(bar, 'teach-selected', (name) => {
    teach(readTags(name)[0], chosen());
  });
  select.addEventListener('click', () => {
    bar.finish();
    choose(gallery.selected ? null : new Set());
  });
  on(line, 'undo', () => {
    const title = history.undo();
    if (title) line.say(`Taken back: ${title}`, { undo: history.last !== null, redo: true });
    else line.say('There is nothing to take back.', { redo: history.next !== null });
  });
  on(line, 'redo', () => {
    const title = history.redo();
    if (title) line.say(title, { undo: true, redo: history.next !== null });
  });

  return {
    /** Gives a tag another name, or its own again. @param {string} label @param {string} name */
    rename(label, name) {
      const [typed = ''] = readTags(name);
      const text = leafOf(typed);
      const other = names.labelOf(text);
      // Another tag is called so already: its own pictures and these are of one then.
      const isMerged = text !== '' && other !== label && names.knows(text);
      const place = placing([typed], () => (isMerged ? other : label));
      if (isMerged) {
        const having = session.pictures.filter((picture) =>
          session.answerOf(picture)?.tags.some((tag) => tag.label === label),
        );
        const change = { add: [other], remove: [label] };
        correctEach(
          `Renamed ${quoted([label])} to ${quoted([other])}, a tag that is there already, for ${called(having)}.`,
          new Map(having.map((one) => [one, change])),
          {
            done() {
              place.done();
              onMerged(label, other);
            },
            undone() {
              place.undone();
              onMerged(other, label);
            },
          },
        );
        return;
      }
      const before = corrections.names;
      const after = new Map(before);
      if (text === '' || text === label) after.delete(label);
      else after.set(label, text);
      const above = readPath(typed)?.split(BELOW).slice(0, -1).join(BELOW);
      take(
        `“${names.nameOf(label)}” is called “${text || label}” now${above ? `, below “${above}”` : ''}.`,
        () => {
          place.done();
          corrections.rename(joinedMap(before, after, corrections.names));
        },
        () => {
          place.undone();
          corrections.rename(joinedMap(after, before, corrections.names));
        },
      );
    },
    correctEach,
    discard,
    /** Selects pictures. @param {Iterable<Picture>} some */
    select(some) {
      bar.finish();
      choose(new Set(some));
    },
    /** Brings the bar in step with what is selected. */
    show() {
      const selecting = gallery.selected !== null;
      const selected = selecting ? chosen() : [];
      const shown = new Set(session.shown);
      bar.show({
        selecting,
        selected: selected.length,
        unseen: selected.filter((picture) => !shown.has(picture)).length,
        propose: (/** @type {string} */ typed) => names.propose(typed),
      });
      select.hidden = session.pictures.length < 2 && !selecting;
    },
  };
}
