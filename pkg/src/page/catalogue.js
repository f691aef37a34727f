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
 * @property {string} license SPDX identifier of the weights' licence
 * @property {string} licence deprecated: `license`
 * @property {boolean} builtIn shipped with the package, in its folder `models/`
 */

import { openBackend } from '../cache/index.js';
import { isCurrent } from '../shared/loader.js';
import { accessOf } from '../shared/model-files.js';
import { readOptions } from './options.js';

/**
 * @typedef {(typeof CATALOGUE)[number]['id']} ModelId The id of a model that ocelli knows by name.
 *
 * @typedef {Omit<ModelInfo, 'licence' | 'id'> & { id: string } & HubLocation} CatalogueEntry
 *
 * @typedef {object} HubLocation
 * @property {{ default?: string, [file: string]: string | undefined }} [revisions] the hub revision of files that are
 *   not on `main`
 * @property {string} [weights] the name of the weights' file, where it is not `model.safetensors`
 */

const CATALOGUE = /** @type {const} @satisfies {readonly CatalogueEntry[]} */ ([
  {
    id: 'ocelli',
    tasks: ['tag', 'embed', 'caption', 'match'],
    title: 'Built-in model',
    bytes: 14_250_000,
    license: 'MIT OR Apache-2.0',
    builtIn: true,
  },
  {
    id: 'wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M',
    tasks: ['tag', 'embed'],
    title: 'TinyCLIP 8M/16',
    bytes: 98_000_000,
    license: 'MIT',
    builtIn: false,
  },
  {
    id: 'wkcn/TinyCLIP-ViT-39M-16-Text-19M-YFCC15M',
    tasks: ['tag', 'embed'],
    title: 'TinyCLIP 39M/16',
    bytes: 336_000_000,
    license: 'MIT',
    builtIn: false,
  },
  {
    id: 'wkcn/TinyCLIP-ViT-40M-32-Text-19M-LAION400M',
    tasks: ['tag', 'embed'],
    title: 'TinyCLIP 40M/32',
    bytes: 340_000_000,
    license: 'MIT',
    builtIn: false,
  },
  {
    id: 'wkcn/TinyCLIP-ViT-61M-32-Text-29M-LAION400M',
    tasks: ['tag', 'embed'],
    title: 'TinyCLIP 61M/32',
    bytes: 465_000_000,
    license: 'MIT',
    builtIn: false,
  },
  {
    id: 'openai/clip-vit-base-patch32',
    tasks: ['tag', 'embed'],
    title: 'CLIP B/32',
    bytes: 608_000_000,
    license: 'MIT',
    builtIn: false,
    // The hub's main branch has this model as a PyTorch file only.
    revisions: { default: 'refs/pr/15' },
  },
  {
    id: 'Salesforce/blip-image-captioning-base',
    tasks: ['caption'],
    title: 'BLIP base',
    bytes: 990_800_000,
    license: 'BSD-3-Clause',
    builtIn: false,
    weights: 'pytorch_model.bin',
  },
  {
    id: 'Salesforce/blip-image-captioning-large',
    tasks: ['caption'],
    title: 'BLIP large',
    bytes: 1_880_000_000,
    license: 'BSD-3-Clause',
    builtIn: false,
    revisions: { 'model.safetensors': 'refs/pr/18' },
  },
  {
    id: 'Salesforce/blip-itm-base-coco',
    tasks: ['match'],
    title: 'BLIP matching base',
    bytes: 894_000_000,
    license: 'BSD-3-Clause',
    builtIn: false,
  },
  {
    id: 'Salesforce/blip-vqa-base',
    tasks: ['answer'],
    title: 'BLIP answering base',
    bytes: 1_540_000_000,
    license: 'BSD-3-Clause',
    builtIn: false,
  },
  {
    id: 'google/vit-base-patch16-224',
    tasks: ['classify'],
    title: 'ViT B/16',
    bytes: 346_000_000,
    license: 'Apache-2.0',
    builtIn: false,
  },
]);

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
function describe({ revisions: _, weights: __, id, tasks, license, ...info }) {
  return { id: /** @type {ModelId} */ (id), tasks: [...tasks], ...info, license, licence: license };
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
 * The name of a known model's file of weights, where it is not the usual one.
 *
 * @param {string} id
 */
export function weightsOf(id) {
  return entryOf(id)?.weights;
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
 *   (`image`, `text`) or `both`, of others what a task needs (`caption`, `match`, `answer`, `classify`)
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
  const backend = await openBackend();
  const entries = ((await backend?.list()) ?? []).filter(({ record }) => record.id === id);
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
  const backend = await openBackend();
  const entries = ((await backend?.list()) ?? []).filter(({ record }) => record.id === id);
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
