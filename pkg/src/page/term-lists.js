/**
 * Lists of terms that prompts are made of: those of the package, and the user's own.
 *
 * The form of a file: UTF-8, one term a line; blank lines are passed over.
 *
 * @typedef {'mediums' | 'artists' | 'movements' | 'sites' | 'flavors' | 'negative'} TermKind
 *
 * @typedef {readonly string[] | string | URL | Blob} TermList the terms, or a file of them: its address, or itself
 *
 * @typedef {'general' | 'drawings' | { readonly [K in TermKind]?: TermList }} TermLists `general`, the default, are the
 *   package's own lists; `drawings` have other flavors, for drawings and anime. Lists of one's own take the place of those:
 *   - `mediums`: what a picture may be made in, with the article: `an oil painting`
 *   - `artists`: names, without `by`
 *   - `movements`: movements and styles
 *   - `sites`: where such pictures are shown
 *   - `flavors`: whatever else makes a prompt better
 *   - `negative`: what pictures should not be
 */

import { packageFile } from '../files.js';
import { LabelError } from '../shared/errors.js';
import { isBlank } from '../shared/texts.js';
import { checkTexts, wrong } from './arguments.js';
import { decodeText, fetchText } from './text-file.js';

/** @type {readonly TermKind[]} */
const KINDS = ['mediums', 'artists', 'movements', 'sites', 'flavors', 'negative'];

/** What one term of each list is called. @type {Readonly<Record<TermKind, string>>} */
const ONE = {
  mediums: 'Medium',
  artists: 'Artist',
  movements: 'Movement',
  sites: 'Site',
  flavors: 'Flavor',
  negative: 'Negative term',
};

/** What several are called, as in Rust. @type {Readonly<Record<TermKind, string>>} */
const MANY = {
  mediums: 'mediums',
  artists: 'artists',
  movements: 'movements',
  sites: 'sites',
  flavors: 'flavors',
  negative: 'negative terms',
};

/** The largest file of one list. The largest published has 2.5 MB. */
const MAX_BYTES = 8 << 20;

/**
 * The texts of all lists.
 *
 * @param {TermLists} lists
 * @param {{ signal?: AbortSignal | null | undefined }} options
 * @returns {Promise<import('../shared/protocol.js').TermTexts>}
 * @throws {LabelError} `labels-empty`: a list has no term; `label-empty`
 * @throws {NetworkError} `network`, `http-status`, `not-found`
 * @throws {AbortError} `aborted`
 * @throws {OcelliError} `argument-invalid`
 */
export async function readTermLists(lists, { signal }) {
  const own = ownLists(lists);
  const texts = await Promise.all(
    KINDS.map(async (kind) => {
      const given = own[kind];
      if (given !== undefined) return readList(kind, given, signal);
      const file = kind === 'flavors' && lists === 'drawings' ? 'drawings' : kind;
      return readFile(kind, packageFile(`lists/${file}.txt`), signal);
    }),
  );
  KINDS.forEach((kind, place) => {
    if (isBlank(texts[place] ?? '')) {
      throw new LabelError('labels-empty', `There are no ${MANY[kind]}: give at least one.`);
    }
  });
  const [mediums = '', artists = '', movements = '', sites = '', flavors = '', negative = ''] = texts;
  return { mediums, artists, movements, sites, flavors, negative };
}

/**
 * The lists of the user's own.
 *
 * @param {unknown} lists
 * @returns {{ readonly [K in TermKind]?: TermList }}
 */
function ownLists(lists) {
  if (lists === 'general' || lists === 'drawings') return {};
  if (typeof lists !== 'object' || lists === null || Array.isArray(lists)) {
    throw wrong('The option lists must be "general", "drawings" or an object with lists.');
  }
  const stranger = Object.keys(lists).find(
    (kind) => !(/** @type {readonly string[]} */ (KINDS).includes(kind)),
  );
  if (stranger !== undefined) {
    throw wrong(`There is no list "${stranger}": there are ${KINDS.slice(0, -1).join(', ')} and negative.`);
  }
  return lists;
}

/**
 * @param {TermKind} kind
 * @param {unknown} given
 * @param {AbortSignal | null | undefined} signal
 */
async function readList(kind, given, signal) {
  if (Array.isArray(given)) return joined(kind, given);
  if (typeof given === 'string' || given instanceof URL) return readFile(kind, given, signal);
  if (given instanceof Blob) {
    if (given.size > MAX_BYTES) throw wrong(`The list of ${kind} is larger than ${MAX_BYTES >> 20} MB.`);
    return decodeText(await given.arrayBuffer(), `The list of ${kind}`);
  }
  throw wrong(`The list of ${kind} must be an array of strings, or a file of one a line or its address.`);
}

/** @param {TermKind} kind @param {string | URL} address @param {AbortSignal | null | undefined} signal */
function readFile(kind, address, signal) {
  return fetchText(address, { what: `list of ${kind}`, limit: MAX_BYTES, signal });
}

/**
 * Terms of an array, in which a blank one is a mistake.
 *
 * @param {TermKind} kind
 * @param {unknown[]} given
 */
function joined(kind, given) {
  const terms = checkTexts(given);
  for (const [index, term] of terms.entries()) {
    if (isBlank(term)) throw new LabelError('label-empty', `${ONE[kind]} ${index + 1} is empty.`);
    if (/[\r\n]/.test(term)) throw wrong(`${ONE[kind]} ${index + 1} has more than one line.`);
  }
  return terms.join('\n');
}
