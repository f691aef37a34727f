/**
 * What people say of their pictures, which counts for more than what a model does: tags that they have added or agreed to, tags
 * that they have taken away, a caption of their own; and other names for tags, wherever these occur.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./session.js').Tag} Tag
 * @typedef {import('./tagging.js').TagAnswer} TagAnswer
 * @typedef {import('./session.js').Candidate} Candidate
 *
 * @typedef {object} Said of one picture; never changed, but replaced
 * @property {readonly string[]} own labels that it has, whatever a model finds
 * @property {readonly string[]} gone labels that it has not
 * @property {string | null} caption
 *
 * @typedef {object} Change
 * @property {readonly string[]} [add] labels
 * @property {readonly string[]} [remove] labels
 * @property {readonly string[]} [unsay] labels of which nothing is said any more
 * @property {string | null} [caption] null for the model's
 */

import { isNamed } from './called.js';
import { joinedSaid } from './joining.js';
import { comparedBeside } from './tagging.js';

/** Letters of a tag at most, and of a caption. */
export const LONGEST_TAG = 120;
const LONGEST_CAPTION = 2000;
/** Tags that somebody has given one picture. */
const MOST_OWN = 200;

/** @type {Said} */
const NOTHING = Object.freeze({ own: Object.freeze([]), gone: Object.freeze([]), caption: null });

/** Dispatches `change` whenever something is said. */
export class Corrections extends EventTarget {
  /** @type {WeakMap<Picture, Said>} */
  #said = new WeakMap();
  /** @type {ReadonlyMap<string, string>} */
  #names = new Map();
  /** Labels that people have given. @type {Set<string>} */
  labels = new Set();
  /** Whether anything was ever said. */
  isUsed = false;
  /** @type {WeakMap<Said, { found: TagAnswer | null, answer: TagAnswer | null }>} */
  #answers = new WeakMap();
  /** @type {WeakMap<Said, { found: Candidate[] | null, captions: Candidate[] | null }>} */
  #captions = new WeakMap();

  /** @param {Picture} picture @returns {Said | undefined} */
  of(picture) {
    return this.#said.get(picture);
  }

  /** Other names of labels. @returns {ReadonlyMap<string, string>} */
  get names() {
    return this.#names;
  }

  /** @param {ReadonlyMap<string, string>} names */
  rename(names) {
    this.#names = names;
    this.#changed();
  }

  /** @param {Picture} picture @param {Said | undefined} said in place of what was */
  put(picture, said) {
    this.putAll([{ picture, said }]);
  }

  /** @param {readonly { picture: Picture, said: Said | undefined }[]} all in place of what was */
  putAll(all) {
    for (const { picture, said } of all) {
      for (const label of said?.own ?? []) this.labels.add(label);
      this.isUsed ||= said !== undefined;
      if (said) this.#said.set(picture, said);
      else this.#said.delete(picture);
    }
    this.#changed();
  }

  /**
   * Takes a step, or takes one back: what was said besides, since, stays.
   * @param {readonly { picture: Picture, from: Said | undefined, to: Said | undefined }[]} steps
   */
  move(steps) {
    this.putAll(
      steps.map(({ picture, from, to }) => ({ picture, said: joinedSaid(from, to, this.of(picture)) })),
    );
  }

  /**
   * What is said of a picture once something more is.
   * @param {Picture} picture
   * @param {Change} change
   * @returns {Said}
   */
  changed(picture, { add = [], remove = [], unsay = [], caption }) {
    const before = this.of(picture) ?? NOTHING;
    const [notOwn, notGone] = [new Set([...remove, ...unsay]), new Set([...add, ...unsay])];
    return {
      own: [...new Set([...before.own, ...add])].filter((label) => !notOwn.has(label)).slice(0, MOST_OWN),
      gone: [...new Set([...before.gone, ...remove])].filter((label) => !notGone.has(label)),
      caption: caption === undefined ? before.caption : caption,
    };
  }

  /**
   * Takes up tags that people have confirmed elsewhere, but for those that they have taken away here.
   * @param {ReadonlyMap<Picture, readonly string[]>} confirmed labels
   */
  confirm(confirmed) {
    if (confirmed.size === 0) return;
    this.putAll(
      [...confirmed].map(([picture, labels]) => {
        const gone = this.of(picture)?.gone ?? [];
        return {
          picture,
          said: this.changed(picture, { add: labels.filter((label) => !gone.includes(label)) }),
        };
      }),
    );
  }

  /**
   * Takes back what people have said here, and taken out of the picture's file elsewhere since it was written.
   * @param {ReadonlyMap<Picture, { labels: readonly string[], caption: boolean }>} withdrawn
   */
  withdraw(withdrawn) {
    if (withdrawn.size === 0) return;
    this.putAll(
      [...withdrawn].map(([picture, { labels, caption }]) => ({
        picture,
        said: this.changed(picture, { unsay: labels, ...(caption && { caption: null }) }),
      })),
    );
  }

  /**
   * A tagger's answer, as it was corrected. The same as long as nothing changes.
   * @param {Picture} picture
   * @param {TagAnswer | null} found
   * @returns {TagAnswer | null}
   */
  answer(picture, found) {
    const said = this.of(picture);
    if (!said) return found;
    const known = this.#answers.get(said);
    if (known?.found === found) return known.answer;
    const answer = corrected(said, found);
    this.#answers.set(said, { found, answer });
    return answer;
  }

  /**
   * The captions of a picture, as they were corrected.
   * @param {Picture} picture
   * @param {Candidate[] | null} found
   * @returns {Candidate[] | null}
   */
  captions(picture, found) {
    const said = this.of(picture);
    if (!said || said.caption === null) return found;
    const known = this.#captions.get(said);
    if (known?.found === found) return known.captions;
    const captions = [{ caption: said.caption }];
    this.#captions.set(said, { found, captions });
    return captions;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/**
 * @param {Said} said
 * @param {TagAnswer | null} found
 * @returns {TagAnswer | null}
 */
function corrected({ own, gone }, found) {
  if (own.length === 0 && !found) return null;
  const scored = [...(found?.tags ?? []), ...(found?.compared ?? [])];
  const score = (/** @type {string} */ label) => scored.find((tag) => tag.label === label)?.score ?? 1;
  const settled = new Set([...own, ...gone]);
  const tags = [
    ...own.map((label) => ({ label, score: score(label), index: -1, own: true })),
    ...(found?.tags ?? []).filter(({ label }) => label === null || !settled.has(label)),
  ];
  return {
    // Where somebody has said what it is, nothing is to be unsure of.
    sure: own.length > 0 || (found?.sure ?? true),
    doubt: own.length > 0 ? null : (found?.doubt ?? null),
    tags,
    ...comparedBeside(found, tags, gone),
  };
}

/**
 * What was typed, as tags: one, or several with commas between them.
 * @param {string} text
 * @returns {string[]}
 */
export function readTags(text) {
  const tags = text.split(/[,;，、；\n]/).map((tag) => cleanLine(tag).slice(0, LONGEST_TAG).trim());
  return [...new Set(tags.filter((tag) => tag !== ''))];
}

/** @param {string} text @returns {string | null} null where nothing was typed */
export function readCaption(text) {
  const lines = text.split(/\r\n|[\n\r\u2028\u2029]/).map(cleanLine);
  // What is between two paragraphs is one line.
  return (
    lines
      .join('\n')
      .replaceAll(/\n{3,}/g, '\n\n')
      .trim()
      .slice(0, LONGEST_CAPTION) || null
  );
}

/** @param {string} text without what no file can hold, on one line */
function cleanLine(text) {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

/** @param {any} said what was kept @returns {Said | undefined} undefined where it is nothing of the kind */
export function readSaid(said) {
  const texts = (/** @type {any} */ list) =>
    Array.isArray(list) && list.every((one) => typeof one === 'string') ? list : null;
  const [own, gone] = [texts(said?.own), texts(said?.gone)];
  if (!own || !gone) return undefined;
  return { own, gone, caption: typeof said.caption === 'string' ? said.caption : null };
}

/** @type {WeakMap<Candidate[], { gone: string, captions: Candidate[] }>} */
const unsaid = new WeakMap();

/**
 * Captions that a model has found, without those that name a tag which the picture has not. The same as long as these are.
 * @param {Candidate[]} found
 * @param {readonly string[]} gone
 * @returns {Candidate[]}
 */
export function withoutNaming(found, gone) {
  if (gone.length === 0) return found;
  const key = gone.join('\n');
  const known = unsaid.get(found);
  if (known?.gone === key) return known.captions;
  const captions = found.filter(({ caption }) => !gone.some((label) => isNamed(caption, label)));
  unsaid.set(found, { gone: key, captions });
  return captions;
}
