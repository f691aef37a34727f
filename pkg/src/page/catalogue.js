/**
 * The models that ocelli knows by name. Any other model of the same kinds loads as well, by its `org/name`
 * or by the address of its folder; this list only spares the reader the search.
 *
 * @typedef {import('../shared/protocol.js').Task} Task
 *
 * @typedef {object} ModelInfo
 * @property {ModelId} id what `Tagger.load`, `Captioner.load` and their like are given
 * @property {readonly Task[]} tasks what it can be loaded for, its main task first
 * @property {string} title
 * @property {number} bytes about how many bytes a first visit downloads
 * @property {number} imageGmacs billions of multiply-adds that the image tower takes for one picture
 * @property {string} license SPDX identifier of the weights' licence
 * @property {string} licence deprecated: `license`
 * @property {boolean} builtIn shipped with the package, in its folder `models/`
 * @property {number | null} accuracy as published, by `measure`; null where nothing is
 * @property {string | null} measure what `accuracy` is: of models that tag, the top-1 accuracy on ImageNet in percent
 * @property {readonly string[]} languages of the texts that it knows; `multilingual` stands for some hundred of them
 *
 * @typedef {(typeof CATALOGUE)[number]['id']} ModelId The id of a model that ocelli knows by name.
 * @typedef {import('./known-models.js').CatalogueEntry} CatalogueEntry
 */

import { openBackend } from '../cache/index.js';
import { errorFor } from '../shared/errors.js';
import { isCurrent } from '../shared/loader.js';
import { accessOf } from '../shared/model-files.js';
import { CATALOGUE } from './known-models.js';
import { readOptions } from './options.js';

export { forgetGpus } from '../cache/tuning.js';

/** What `recommend` is asked by. */
const RECOMMEND = ['task', 'language', 'megabytes'];

/** @type {readonly CatalogueEntry[]} */
const ENTRIES = CATALOGUE;

/** Ids of earlier versions. They go with the next version. @type {Readonly<Record<string, string>>} */
const ALIASES = { 'clip-tiny': 'ocelli', 'blip-tiny': 'ocelli' };

/** @param {string} id or an earlier one @returns {CatalogueEntry | undefined} */
function entryOf(id) {
  const wanted = Object.hasOwn(ALIASES, id) ? ALIASES[id] : id;
  return ENTRIES.find((entry) => entry.id === wanted);
}

/**
 * @param {CatalogueEntry} entry
 * @returns {ModelInfo}
 */
function describe({ id, title, tasks, bytes, imageGmacs, license, builtIn, accuracy, measure, languages }) {
  const info = { title, bytes, imageGmacs, license, licence: license, builtIn, accuracy, measure };
  return { id: /** @type {ModelId} */ (id), tasks: [...tasks], ...info, languages: [...languages] };
}

/**
 * The models that ocelli knows by name, built-in ones first.
 *
 * @param {{ task?: Task }} [filter] only the models for one task
 * @returns {ModelInfo[]}
 * @throws {OcelliError} `argument-invalid`
 */
export function list(filter = {}) {
  const { task } = readOptions(filter, ['task']);
  return ENTRIES.filter((entry) => task === undefined || entry.tasks.includes(task)).map(describe);
}

/**
 * The model of that id, or undefined where ocelli does not know it by name. The ids of the built-in models of earlier
 * versions, `clip-tiny` and `blip-tiny`, stand for the one that took their place.
 *
 * @param {string} id
 * @returns {ModelInfo | undefined}
 */
export function find(id) {
  const entry = entryOf(id);
  return entry && describe(entry);
}

/**
 * The model that is known to do best at a task, within a download: by what is published of accuracy, and where nothing is, the
 * smaller one. Texts in other languages than English need a model for them.
 *
 * @param {{ task: Task, language?: string, megabytes?: number }} wanted `language` in BCP 47 (`ja`), English by default;
 *   `megabytes` that a first visit downloads at most
 * @returns {ModelInfo | undefined} nothing where none is known
 * @throws {OcelliError} `argument-invalid`
 * @example
 * const { id } = models.recommend({ task: 'tag', megabytes: 250 });
 * const tagger = await Tagger.load(id);
 */
export function recommend(wanted) {
  const { task, language = 'en', megabytes = Infinity } = readOptions(wanted, RECOMMEND);
  if (task === undefined) throw errorFor('argument-invalid', 'The option task is needed.');
  const english = language.toLowerCase().split('-')[0] === 'en';
  const fitting = ENTRIES.filter(
    ({ tasks, languages, bytes }) =>
      tasks.includes(task) && bytes <= 1e6 * megabytes && (english || languages.includes('multilingual')),
  );
  const worth = (/** @type {CatalogueEntry} */ { accuracy, inJapanese }) =>
    (english ? accuracy : inJapanese) ?? 0;
  const [best] = fitting.sort((a, b) => worth(b) - worth(a) || a.bytes - b.bytes);
  return best && describe(best);
}

/**
 * The name of a known model's file of weights, where it is not the usual one.
 *
 * @param {string} id
 */
export function weightsOf(id) {
  return entryOf(id)?.weights;
}

/**
 * The model whose files beside the weights are meant: usually the model itself.
 *
 * @param {string} id
 */
export function filesOf(id) {
  return entryOf(id)?.filesOf ?? id;
}

/**
 * The hub revision that holds a file of a model.
 *
 * @param {string} id
 * @param {string} file
 * @returns {string}
 */
export function revisionOf(id, file) {
  const revisions = entryOf(id)?.revisions;
  return revisions?.[file] ?? revisions?.default ?? 'main';
}

/**
 * A model that is kept in this browser.
 *
 * @typedef {object} StoredModel
 * @property {string} id as it was loaded
 * @property {string | null} revision the revision that was asked for; null for the model's usual one
 * @property {import('../cache/index.js').Part} part what is kept of it: `all` of a model for several tasks, of CLIP one tower
 *   (`image`, `text`, which a text encoder keeps too) or `both`, of others what a task needs (`caption`, `match`, `answer`, `classify`)
 * @property {string} dtype
 * @property {number} bytes that it takes, its labels' embeddings included
 * @property {string} date when it was kept, in ISO 8601
 */

/**
 * The models that are kept in this browser, newest first; none where nothing can be kept.
 *
 * @returns {Promise<StoredModel[]>}
 */
export async function stored() {
  const entries = (await (await openBackend())?.list()) ?? [];
  return entries
    .map(({ embeddings, record: { id, revision, part, dtype, date, weights, small } }) => {
      const bytes = small.reduce((sum, file) => sum + file.bytes, weights + embeddings);
      return { id, revision, part, dtype, bytes, date };
    })
    .sort((a, b) => (a.date < b.date ? 1 : -1));
}

/**
 * Forgets a model, whatever its revision, part and dtype. Models that are loaded go on working.
 *
 * @param {string} id
 * @returns {Promise<boolean>} whether there was one
 */
export async function remove(id) {
  const { backend, entries } = await keptOf(id);
  for (const { name } of entries) await backend?.remove(name);
  return entries.length > 0;
}

/**
 * Asks the servers of a kept model's files whether they still have them as they were, and forgets what has changed: the next
 * load downloads it. Files of which a server told neither an ETag nor a date of change are taken to be the same.
 *
 * @param {string} id
 * @param {{ headers?: Record<string, string>, credentials?: RequestCredentials, signal?: AbortSignal | null }} [options] as
 *   for the load
 * @returns {Promise<boolean>} whether there was something to forget
 * @throws {NetworkError} `network`, `http-status`, `not-found`: then nothing is forgotten
 * @throws {AbortError} `aborted`
 * @throws {OcelliError} `argument-invalid`
 */
export async function refresh(id, options = {}) {
  const { signal, ...given } = readOptions(options, ['headers', 'credentials', 'signal']);
  const access = accessOf(given);
  const { backend, entries } = await keptOf(id);
  let forgotten = false;
  for (const { name, record } of entries) {
    const files = (record.versions ?? []).map(({ url, version }) => {
      const file = { name: new URL(url).pathname.split('/').at(-1) ?? url, url, ...(access && { access }) };
      return isCurrent(file, version, { ...(signal && { signal }) });
    });
    if ((await Promise.all(files)).every(Boolean)) continue;
    await backend?.remove(name);
    forgotten = true;
  }
  return forgotten;
}

/** What is kept of a model, and where. @param {string} id */
async function keptOf(id) {
  const backend = await openBackend();
  return { backend, entries: ((await backend?.list()) ?? []).filter(({ record }) => record.id === id) };
}
